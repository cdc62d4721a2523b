/**
 * ReturnCoupons: uses of a committed order are given back, whole or coupon by coupon, at any age. What was done is written
 * under the request's id into the order's record, so a repeat finds it and answers the same.
 *
 * A single-use code is not free again: it stays bound to the order it was used for. Whoever wants to give the user another
 * try grants a coupon.
 */
import { hash } from 'node:crypto';
import { encodeRedemption, type Redemption } from '../domain/redemption.ts';
import {
  decodeRefundRecord,
  encodeRefundRecord,
  REFUND_RECORD_PREFIX,
  REFUND_RECORD_TIME_OFFSET,
  type RefundRecord,
  type ReturnRecord,
} from '../domain/refund-record.ts';
import { Refusal, type RefusalReason } from '../domain/refusal.ts';
import { requireUser, userExists } from '../ledger/erased-user.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import { type Outcome, orderOf, type Step } from '../ledger/transaction.ts';
import { type Decision, decide, type Plan } from '../points/decide.ts';
import { planPointsReversal } from '../points/plan-reversal.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { afterSteps } from './after-steps.ts';
import { seenOf } from './confirm-order.ts';
import type { OrderArchive } from './hydrate-order.ts';
import { expectHead, type KnownOrder, type OrderRecords, readOrder, requireOrder } from './read-order.ts';
import { planGiveBack } from './return-coupons-plan.ts';
import { type PromotionVersions, ReturnPolicies } from './return-coupons-policy.ts';

/** What returns and refunds need from outside. */
export interface ReturnPorts {
  readonly ledger: Ledger;
  /** Absent: no order ever leaves Redis. */
  readonly archive?: OrderArchive;
  readonly promotions: PromotionVersions;
  readonly metrics: Pick<Metrics, 'couponReturns' | 'refunds' | 'points'>;
}

/** What is to be given back. */
export interface ReturnRequest {
  readonly userId: string;
  readonly orderId: string;
  /** The same request is the same return. */
  readonly requestId: string;
  /** Coupons of the order; empty: everything it used. */
  readonly couponIds: readonly string[];
  /** For people; at most 500 characters. */
  readonly reason: string;
}

/** A return that was made, now or by an earlier attempt. */
export interface Returned {
  readonly record: ReturnRecord;
  /** The order as it is now. */
  readonly order: KnownOrder;
  readonly isReplay: boolean;
}

const NOT_COMMITTED: Partial<Record<Redemption['state'], [RefusalReason, string]>> = {
  reserved: ['NOTHING_TO_RETURN', 'The order was not committed'],
  released: ['RESERVATION_RELEASED', 'The reservation was released before it was committed'],
  expired: ['RESERVATION_EXPIRED', 'The reservation expired before it was committed'],
};

/** Throws NOTHING_TO_RETURN, RESERVATION_RELEASED or RESERVATION_EXPIRED when the order was never committed. */
export function requireCommitted({ state, dueAtMs }: Redemption): void {
  const refusal = NOT_COMMITTED[state];
  if (refusal === undefined) return;
  const [reason, message] = refusal;
  const metadata = state === 'expired' ? { expired_at: new Date(dueAtMs).toISOString() } : {};
  throw new Refusal(reason, message, { metadata });
}

/** Digest of what a request asks for, so that its id cannot be used for something else. */
export function digestOf(content: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(content), 'hex');
}

/** The order's field that remembers the request. */
export function recordField(requestId: string): Buffer {
  return Buffer.from(REFUND_RECORD_PREFIX + requestId);
}

/** What an earlier attempt left. Throws REQUEST_ID_REUSED when it asked for something else. */
export function recordBefore(
  { order }: OrderRecords,
  requestId: string,
  digest: string,
): RefundRecord | ReturnRecord | undefined {
  const bytes = order.get(recordField(requestId).toString('latin1'));
  const record = bytes && decodeRefundRecord(bytes);
  if (record !== undefined && record.digest !== digest)
    throw new Refusal('REQUEST_ID_REUSED', 'The request id was used for another return or refund');
  return record;
}

/** The steps around a return or refund: nothing has changed since the order was read; the order and the record are written. */
export function writeSteps(
  order: KnownOrder,
  requestId: string,
  record: RefundRecord | ReturnRecord,
  after: Redemption,
  steps: readonly Step[],
): Step[] {
  const on = orderOf(order.userId, order.orderId);
  const field = recordField(requestId);
  const value = Buffer.from(encodeRefundRecord(record));
  return [
    { kind: 'replay', on, field },
    expectHead(order),
    userExists(order.userId),
    ...steps,
    { kind: 'set', on, field, value, times: [{ offset: REFUND_RECORD_TIME_OFFSET, plusMs: 0 }] },
    { kind: 'set', on, field: ORDER_FIELDS.head.bytes, value: Buffer.from(encodeRedemption(after)) },
  ];
}

/** A coupon that becomes live again needs room in the wallet. */
export function walletFull(steps: readonly Step[], outcome: Outcome): Refusal | undefined {
  if (outcome.kind !== 'out_of_bounds' || steps[outcome.step]?.kind !== 'live') return undefined;
  const metadata = { live_coupons: String(outcome.value) };
  return new Refusal('WALLET_FULL', 'The wallet holds as many coupons as it may', { metadata });
}

/** Reads an order; one that left Redis is brought back. Throws what `readOrder` and the archive throw. */
export async function readOrderOfAnyAge(
  { ledger, archive }: Pick<ReturnPorts, 'ledger' | 'archive'>,
  userId: string,
  orderId: string,
  deadlineMs: number,
): Promise<OrderRecords> {
  const records = await readOrder(ledger, userId, orderId, deadlineMs);
  if (records.order.size > 0 || archive === undefined) return records;
  const isBack = await archive.hydrate(userId, orderId, deadlineMs);
  return isBack ? await readOrder(ledger, userId, orderId, deadlineMs) : records;
}

/**
 * Gives uses back. Throws ORDER_NOT_FOUND; RESERVATION_RELEASED, RESERVATION_EXPIRED or NOTHING_TO_RETURN when nothing of
 * what was asked for is in use; COUPON_NOT_FOUND when a coupon is not one of the order; WALLET_FULL; REQUEST_ID_REUSED;
 * USER_NOT_FOUND for an erased user; and what the ledger and the look-up of promotions throw.
 */
export async function returnCoupons(
  ports: ReturnPorts,
  request: ReturnRequest,
  deadlineMs: number,
): Promise<Returned> {
  const { userId, orderId, requestId } = request;
  const digest = digestOf(['return', request.couponIds.toSorted(), request.reason]);
  const look = async (seen: Step[]): Promise<Decision<Returned>> => {
    const records = await readOrderOfAnyAge(ports, userId, orderId, deadlineMs);
    seen.push(...seenOf(records));
    const record = recordBefore(records, requestId, digest);
    if (record?.kind === 'return')
      return { answer: { record, order: requireOrder(records), isReplay: true } };
    return { plan: await planReturn(ports, request, digest, checked(records, request), deadlineMs) };
  };
  const done = await decide(ports, deadlineMs, look);
  if (!done.isReplay) countReturns(ports, done.record);
  return done;
}

/** Counts coupons by what became of them, and the points. */
export function countReturns(
  { metrics }: ReturnPorts,
  { coupons, pointsReversed, pointsDebt }: Pick<ReturnRecord, 'coupons' | 'pointsReversed' | 'pointsDebt'>,
): void {
  for (const { outcome } of coupons) metrics.couponReturns.child(outcome).value += 1;
  metrics.points.child('reversed').value += pointsReversed;
  metrics.points.child('owed').value += pointsDebt;
}

/** The order, of which something that was asked for is in use. */
function checked(records: OrderRecords, { couponIds }: ReturnRequest): KnownOrder {
  const order = requireOrder(records);
  requireUser(records.account);
  requireCommitted(order.redemption);
  const { state, coupons } = order.redemption;
  const unknown = couponIds.find((couponId) => !coupons.some((coupon) => coupon.couponId === couponId));
  if (unknown !== undefined) {
    const metadata = { coupon_id: unknown };
    throw new Refusal('COUPON_NOT_FOUND', 'The order used no such coupon', { metadata });
  }
  const isLeft = coupons.some(({ couponId, returned }) => couponIds.includes(couponId) && !returned);
  if (state === 'returned' || !(isLeft || couponIds.length === 0))
    throw new Refusal('NOTHING_TO_RETURN', 'It was returned before');
  return order;
}

async function planReturn(
  { ledger, promotions }: ReturnPorts,
  { userId, orderId, requestId, couponIds, reason }: ReturnRequest,
  digest: string,
  order: KnownOrder,
  deadlineMs: number,
): Promise<Plan<Returned>> {
  const { redemption } = order;
  const names = [...redemption.promotions, ...redemption.coupons];
  const policies = await ReturnPolicies.read(promotions, names, deadlineMs);
  const nowMs = ledger.nowMs();
  const back = planGiveBack(order, couponIds.length === 0 ? 'all' : new Set(couponIds), policies, nowMs);
  const reversal = back.isOver
    ? planPointsReversal({ ...order, userId, orderId, remainingPaidMinor: 0, isWhollyBack: true, reason })
    : { steps: [], points: 0, debt: 0 };
  const record: ReturnRecord = {
    kind: 'return',
    atMs: 0,
    digest,
    reason,
    coupons: back.coupons,
    pointsReversed: reversal.points,
    pointsDebt: reversal.debt,
  };
  const after = back.isOver ? ended(redemption, nowMs, reason) : redemption;
  const steps = writeSteps(order, requestId, record, { ...after, ...back.after }, [
    ...back.steps,
    ...reversal.steps,
  ]);
  return {
    transaction: { event: 'returned', opensNew: false, steps },
    done: (atMs) => ({
      record: { ...record, atMs },
      order: afterSteps(order, steps, atMs),
      isReplay: false,
    }),
    stopped: (outcome) => walletFull(steps, outcome),
  };
}

/** The order, of which nothing is used any more. */
export function ended(redemption: Redemption, endedAtMs: number, reason: string): Redemption {
  return { ...redemption, state: 'returned', endedAtMs, ...(reason !== '' && { reason }) };
}
