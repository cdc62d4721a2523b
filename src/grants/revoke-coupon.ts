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
import { unchanged } from '../ledger/held-fields.ts';
import { returnToPool } from '../ledger/leases/stock-lease.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ACCOUNT_FIELDS, PROMOTION_FIELDS } from '../ledger/record-fields.ts';
import { isOutdated, isStillSo } from '../ledger/still-so.ts';
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
    const [wallet = new Map()] = await ledger.read(deadlineMs, (reads) => reads.records(names));
    const seen = [unchanged(walletOf(request.userId), field, wallet)];
    const planned = await plan(request, parts, wallet, ledger.nowMs()).catch(async (error: unknown) => {
      if (await isOutdated(error, ledger, seen, deadlineMs)) return undefined;
      throw error;
    });
    if (planned === undefined) continue;
    if (planned.steps.length === 0) {
      if (await isStillSo(ledger, seen, deadlineMs)) return;
      continue;
    }
    const steps = [...planned.steps, ...(await stockSteps(ledger, request, planned.value, deadlineMs))];
    const outcome = await ledger.transact({ event: 'revoked', opensNew: false, steps }, deadlineMs);
    if (outcome.kind === 'done') return;
    // Anything else means that the coupon has changed since it was read, or has just expired.
  }
}

/** The coupon as read, and the steps; none when it is revoked already. Rejects when it cannot be. */
async function plan(
  request: RevokeRequest,
  { fieldHex, issuedAtMs }: { readonly fieldHex: string; readonly issuedAtMs: number },
  read: ReadonlyMap<string, Buffer>,
  nowMs: number,
): Promise<{ readonly value: Buffer; readonly steps: readonly Step[] }> {
  const field = Buffer.from(fieldHex, 'hex');
  const value = read.get(field.toString('latin1'));
  if (value === undefined || decodeCouponValue(value).issuedAtMs !== issuedAtMs) throw notFound();
  const coupon = decodeCouponValue(value);
  const state = stateAt(coupon, nowMs);
  if (state === 'revoked') return { value, steps: [] };
  if (state !== 'unused')
    throw new Refusal('COUPON_NOT_AVAILABLE', `The coupon is ${state}`, { metadata: { state } });
  const { userId } = request;
  const wallet = walletOf(userId);
  const revoked = Buffer.from(encodeCouponValue({ ...coupon, state: 'revoked' }));
  const steps: readonly Step[] = [
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
  return { value, steps };
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
