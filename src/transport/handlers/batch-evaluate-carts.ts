/** BatchEvaluateCarts: each cart goes its own way, as if it had come alone; the results come back together and in order. */
import { type FieldViolation, Refusal } from '../../domain/refusal.ts';
import type { HotHandler, HotReply } from '../binding.ts';
import { cartResults } from '../cart-results.ts';
import type { EvaluationIntake } from '../evaluation-intake.ts';
import { scanItems } from '../scan-cart-request.ts';

/** Items of one request; as the contract says. */
const MAX_ITEMS = 100;

const NO_MESSAGE = new Refusal('INVALID_REQUEST', 'The request is not a message of this method');

function wrongCount(items: number): Refusal {
  const description = items === 0 ? 'must have at least 1 item' : `must have at most ${MAX_ITEMS} items`;
  return new Refusal('INVALID_REQUEST', 'The request is not valid', {
    violations: [{ field: 'items', description }],
  });
}

/** The refusal of the whole request when any item is malformed: it names every fault of every item. */
function malformed(results: readonly (Uint8Array | Refusal)[]): Refusal | undefined {
  const faulty = results.flatMap((result, index) =>
    result instanceof Refusal && result.reason === 'INVALID_REQUEST' ? [{ refusal: result, index }] : [],
  );
  const [first] = faulty;
  if (first === undefined) return undefined;
  const violations: FieldViolation[] = faulty.flatMap(({ refusal, index }) =>
    (refusal.detail.violations ?? []).map(({ field, description }) => ({
      field: `items[${index}].${field}`,
      description,
    })),
  );
  return new Refusal('INVALID_REQUEST', first.refusal.message, { violations });
}

/** Where the results of one message gather. */
class Gathering {
  private readonly results: (Uint8Array | Refusal)[];
  private open: number;
  private readonly reply: HotReply;

  constructor(items: number, reply: HotReply) {
    this.results = new Array(items);
    this.open = items;
    this.reply = reply;
  }

  set(index: number, result: Uint8Array | Refusal): void {
    this.results[index] = result;
    this.open -= 1;
    if (this.open === 0) this.reply(malformed(this.results) ?? cartResults(this.results));
  }
}

/** Makes the handler. */
export function batchEvaluateCarts(intake: EvaluationIntake): HotHandler {
  return (bytes, context, reply) => {
    const items = scanItems(bytes);
    if (items === undefined) throw NO_MESSAGE;
    if (items.length === 0 || items.length > MAX_ITEMS) throw wrongCount(items.length);
    const gathering = new Gathering(items.length, reply);
    for (const [index, item] of items.entries()) {
      intake.submit('evaluate_cart', item, context, (result) => gathering.set(index, result));
    }
  };
}
