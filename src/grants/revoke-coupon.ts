/**
 * Takes one coupon back. The wallet keeps it, as revoked, with the reason in the account.
 *
 * Stock that comes back: the promotion's `issued` goes down and its `returned` up by one. `issued` is what stock is judged by
 * everywhere (claims, the state "sold out", the least quantity), so it must fall for the unit to be had again; raising
 * `received` instead would be undone by the next change of the promotion, which delivers its quantity anew, and would let
 * `issued` pass it. Where several partitions share the stock, `received` falls as well and the unit goes back to the pool: the
 * quantity may have fallen below what is issued, and then it must not be issued again. So I1 (issued ≤ received) holds at every event, and coupons ever issued are issued + returned.
 */
import { decodeCouponValue, encodeCouponValue, parseCouponId, stateAt } from '../domain/coupon.ts';
import { Refusal } from '../domain/refusal.ts';
import { returnToPool } from '../ledger/leases/stock-lease.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ACCOUNT_FIELDS, PROMOTION_FIELDS } from '../ledger/record-fields.ts';
import { accountOf, promotionOf, type Step, walletOf } from '../ledger/transaction.ts';

/** Which coupon is taken back, and why. */
export interface RevokeRequest {
  readonly userId: string;
  readonly couponId: string;
  /** 1 to 64 bytes. */
  readonly reason: string;
  readonly returnStock: boolean;
}

const LAST_INSTANT_MS = 2 ** 48 - 1;

/**
 * Takes an unused coupon back; one that is revoked already stays so. Throws COUPON_NOT_FOUND, COUPON_NOT_AVAILABLE (with its
 * state) for reserved, used and expired ones, or LEDGER_*.
 */
export async function revokeCoupon(
  ledger: Ledger,
  request: RevokeRequest,
  deadlineMs: number,
): Promise<void> {
  const parts = parseCouponId(request.couponId);
  if (parts === undefined) throw notFound();
  const field = Buffer.from(parts.fieldHex, 'hex');
  for (;;) {
    const names = [walletOf(request.userId)];
    const [wallet] = await ledger.read(deadlineMs, (reads) => reads.records(names));
    const value = wallet?.get(field.toString('latin1'));
    if (value === undefined || decodeCouponValue(value).issuedAtMs !== parts.issuedAtMs) throw notFound();
    const planned = plan(request, field, value, ledger.nowMs());
    if (planned === undefined) return;
    const steps = [...planned, ...(await stockSteps(ledger, request, value, deadlineMs))];
    const outcome = await ledger.transact({ event: 'revoked', opensNew: false, steps }, deadlineMs);
    if (outcome.kind === 'done') return;
    // Anything else means that the coupon has changed since it was read, or has just expired.
  }
}

/** The steps; undefined when it is revoked already. Throws when it cannot be. */
function plan(request: RevokeRequest, field: Buffer, value: Buffer, nowMs: number): Step[] | undefined {
  const coupon = decodeCouponValue(value);
  const state = stateAt(coupon, nowMs);
  if (state === 'revoked') return undefined;
  if (state !== 'unused')
    throw new Refusal('COUPON_NOT_AVAILABLE', `The coupon is ${state}`, { metadata: { state } });
  const { userId } = request;
  const wallet = walletOf(userId);
  const revoked = Buffer.from(encodeCouponValue({ ...coupon, state: 'revoked' }));
  return [
    { kind: 'expect', on: wallet, field, value },
    { kind: 'within', fromMs: 0, toMs: coupon.expiresAtMs ?? LAST_INSTANT_MS },
    { kind: 'set', on: wallet, field, value: revoked },
    { kind: 'live', userId, change: -1 },
    {
      kind: 'set',
      on: accountOf(userId),
      field: ACCOUNT_FIELDS.revoked.bytes(field),
      value: Buffer.from(request.reason),
    },
  ];
}

/** How the stock comes back; where several partitions share it, to all of them. */
async function stockSteps(
  ledger: Ledger,
  { userId, returnStock }: RevokeRequest,
  value: Buffer,
  deadlineMs: number,
): Promise<Step[]> {
  if (!returnStock) return [];
  const { promotionRef } = decodeCouponValue(value);
  const on = promotionOf(promotionRef);
  const steps: Step[] = [
    { kind: 'add', on, field: PROMOTION_FIELDS.issued.bytes, delta: -1 },
    { kind: 'add', on, field: PROMOTION_FIELDS.returned.bytes, delta: 1 },
  ];
  if (ledger.partitions === 1) return steps;
  const [record = new Map()] = await ledger.recordsAt(ledger.partitionOf(userId), [on], deadlineMs);
  return [...steps, ...returnToPool(promotionRef, record)];
}

function notFound(): Refusal {
  return new Refusal('COUPON_NOT_FOUND', 'There is no such coupon');
}
