/** BatchEvaluateCarts: each cart goes its own way, as if it had come alone; the results come back together and in order. */
import { type FieldViolation, Refusal } from '../../domain/refusal.ts';
import { joinBatch, splitBatch } from '../../evaluation/codec/batch.ts';
import type { HotHandler, HotReply } from '../binding.ts';
import { cartResult } from '../cart-result.ts';
import type { EvaluationIntake } from '../evaluation-intake.ts';

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
    if (this.open === 0) this.reply(malformed(this.results) ?? joinBatch(this.results.map(cartResult)));
  }
}

/** Makes the handler. */
export function batchEvaluateCarts(intake: EvaluationIntake): HotHandler {
  return (bytes, context, reply) => {
    const items = splitBatch(bytes);
    const gathering = new Gathering(items.length, reply);
    for (const [index, item] of items.entries()) {
      intake.submit('evaluate_cart', item, context, (result) => gathering.set(index, result));
    }
  };
}
