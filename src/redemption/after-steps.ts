/** The records of an order as they are once steps planned on them were carried out, so that nobody need read them again. */
import { decodeRedemption, type Redemption, withMoments } from '../domain/redemption.ts';
import type { Step } from '../ledger/transaction.ts';
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
  const order: Fields = new Map(records.order);
  const account: Fields = new Map(records.account);
  const wallet: Fields = new Map(records.wallet);
  const byRecord: Readonly<Record<string, Fields>> = { order, account, wallet };
  for (const step of steps) {
    if (step.kind !== 'set' && step.kind !== 'remove') continue;
    const fields = byRecord[step.on.record];
    if (step.kind === 'set') fields?.set(step.field.toString('latin1'), stampedValue(step, nowMs));
    else fields?.delete(step.field.toString('latin1'));
  }
  const head = order.get('h') ?? Buffer.alloc(0);
  const redemption = written === undefined ? decodeRedemption(head) : withMoments(written, head);
  return { ...records, order, account, wallet, head, redemption };
}
