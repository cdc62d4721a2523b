/** Coupons issued other than by a claim, as an earlier attempt may have left them; answered only once that is as safe as a write. */
import { type CouponSource, couponIdOf, decodeCouponValue } from '../domain/coupon.ts';
import { Refusal } from '../domain/refusal.ts';
import { couponFieldHex, type IssueKind } from './coupon-field.ts';
import type { EventKind } from './event-format.ts';
import { unchanged } from './leases/lease-shape.ts';
import type { Ledger } from './ledger.ts';
import { PROMOTION_FIELDS } from './record-fields.ts';
import { promotionOf, type Step, walletOf } from './transaction.ts';

/** Which coupon is to be issued, to whom, and by which request. */
export interface IssueRequest {
  readonly promotionRef: number;
  readonly userId: string;
  /** With user and kind it names the coupon: the same request is the same coupon. */
  readonly requestId: string;
  readonly kind: IssueKind;
  readonly source: CouponSource;
  readonly event: EventKind;
  /** The promotion's claim window counts. */
  readonly minded: 'window' | 'nothing';
}

/** A coupon that was issued, now or by an earlier attempt. Times in ms since the epoch. */
export interface IssuedCoupon {
  readonly couponId: string;
  readonly promotionVersion: number;
  readonly issuedAtMs: number;
  readonly validFromMs: number;
  readonly expiresAtMs: number | undefined;
  readonly isReplay: boolean;
}

/** The coupon in a wallet's bytes. */
export function issuedCoupon(value: Buffer, fieldHex: string, isReplay: boolean): IssuedCoupon {
  const coupon = decodeCouponValue(value);
  return {
    couponId: couponIdOf(coupon.issuedAtMs, fieldHex),
    promotionVersion: coupon.promotionVersion,
    issuedAtMs: coupon.issuedAtMs,
    validFromMs: coupon.validFromMs,
    expiresAtMs: coupon.expiresAtMs,
    isReplay,
  };
}

function replayStep({ kind, userId, requestId }: IssueRequest): Step {
  const field = Buffer.from(couponFieldHex(kind, userId, requestId), 'hex');
  return { kind: 'replay', on: walletOf(userId), field };
}

/** The coupon in these bytes, which an earlier attempt left. Throws REQUEST_ID_REUSED when it is one of another promotion. */
export function issuedBy(request: IssueRequest, value: Buffer): IssuedCoupon {
  if (decodeCouponValue(value).promotionRef !== request.promotionRef)
    throw new Refusal('REQUEST_ID_REUSED', 'The request id was used for another promotion');
  return issuedCoupon(value, couponFieldHex(request.kind, request.userId, request.requestId), true);
}

/** The bytes of the coupon of this request, and the step that holds them to what was read: nothing may be answered without it. */
export async function couponAsRead(
  ledger: Pick<Ledger, 'partitionOf' | 'fieldsAt'>,
  { kind, userId, requestId }: IssueRequest,
  deadlineMs: number,
): Promise<{ readonly value: Buffer | undefined; readonly seen: Step }> {
  const field = Buffer.from(couponFieldHex(kind, userId, requestId), 'hex');
  const on = walletOf(userId);
  const [held] = await ledger.fieldsAt(ledger.partitionOf(userId), on, [field], deadlineMs);
  const value = held ?? undefined;
  const seen: Step =
    value === undefined ? { kind: 'absent', on, field } : { kind: 'expect', on, field, value };
  return { value, seen };
}

/**
 * The coupon an earlier attempt of this request left in the wallet; undefined when there is none. It is asked as a write is,
 * so either answer is as safe as that to a write. Throws REQUEST_ID_REUSED and what `ledger.transact` throws.
 */
export async function issuedBefore(
  ledger: Pick<Ledger, 'transact'>,
  request: IssueRequest,
  deadlineMs: number,
): Promise<IssuedCoupon | undefined> {
  const steps: readonly Step[] = [replayStep(request)];
  const outcome = await ledger.transact({ event: request.event, opensNew: false, steps }, deadlineMs);
  return outcome.kind === 'replayed' ? issuedBy(request, outcome.value) : undefined;
}

/**
 * What was judged by a read counts for an open partition, while the promotion is as it was read, and for who has no coupon of
 * this request yet: his is answered. Undefined when the promotion has changed. Throws the refusal otherwise.
 */
export async function issuedUnless(
  refusal: Refusal,
  ledger: Pick<Ledger, 'transact'>,
  request: IssueRequest,
  record: ReadonlyMap<string, Buffer>,
  deadlineMs: number,
): Promise<IssuedCoupon | undefined> {
  const steps: readonly Step[] = [
    replayStep(request),
    ...unchanged(promotionOf(request.promotionRef), [PROMOTION_FIELDS.definition], record),
  ];
  const outcome = await ledger.transact({ event: request.event, opensNew: false, steps }, deadlineMs);
  if (outcome.kind === 'done') throw refusal;
  return outcome.kind === 'replayed' ? issuedBy(request, outcome.value) : undefined;
}
