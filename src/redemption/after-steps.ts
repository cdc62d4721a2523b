/** The records of an order as they are once steps planned on them were carried out, so that nobody need read them again. */
import { decodeRedemption, type Redemption, withMoments } from '../domain/redemption.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import type { RecordName, Step } from '../ledger/transaction.ts';
import type { KnownOrder, OrderRecords } from './read-order.ts';

type Fields = Map<string, Buffer>;

function stampedValue(step: Extract<Step, { kind: 'set' }>, nowMs: number): Buffer {
  if (step.times === undefined) return step.value;
  const bytes = Buffer.from(step.value);
  for (const { offset, plusMs } of step.times) bytes.writeUIntBE(nowMs + plusMs, offset, 6);
  return bytes;
}

/**
 * The records after the steps: values set and removed, with the ledger's time in them. Counters are not followed.
 *
 * @param nowMs the time of the decision, by the ledger's clock
 * @param written the head that the steps write, when it is at hand; its moments are those of the ledger
 */
export function afterSteps(
  records: OrderRecords,
  steps: readonly Step[],
  nowMs: number,
  written?: Redemption,
): KnownOrder {
  const order = changed('order', records.order, steps, nowMs);
  const head = order.get(ORDER_FIELDS.head.name) ?? Buffer.alloc(0);
  const redemption = written === undefined ? decodeRedemption(head) : withMoments(written, head);
  const { userId, orderId } = records;
  // Most answers are made of the order alone; what else a user has may be much.
  let account: Fields | undefined;
  let wallet: Fields | undefined;
  return {
    userId,
    orderId,
    order,
    head,
    redemption,
    get account() {
      account ??= changed('account', records.account, steps, nowMs);
      return account;
    },
    get wallet() {
      wallet ??= changed('wallet', records.wallet, steps, nowMs);
      return wallet;
    },
  };
}

/** The fields of a record after the steps. */
function changed(
  record: RecordName['record'],
  before: ReadonlyMap<string, Buffer>,
  steps: readonly Step[],
  nowMs: number,
): Fields {
  const fields = new Map(before);
  for (const step of steps) {
    if (!(step.kind === 'set' || step.kind === 'remove') || step.on.record !== record) continue;
    const name = step.field.toString('latin1');
    if (step.kind === 'set') fields.set(name, stampedValue(step, nowMs));
    else fields.delete(name);
  }
  return fields;
}
