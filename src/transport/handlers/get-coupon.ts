/** GetCoupon: one coupon with its history. The state is live; what happened after the claim is read from the archive. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { parseCouponId, stateAt } from '../../domain/coupon.ts';
import { Refusal } from '../../domain/refusal.ts';
import {
  CouponChange,
  type CouponHistoryEntrySchema,
  type GetCouponRequestSchema,
  type GetCouponResponseSchema,
} from '../../gen/hongbao/v1/coupon_service_pb.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { WalletCoupon } from '../../ledger/wallet.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { couponMessages } from '../coupon-message.ts';
import type { PromotionBook } from '../promotion-book.ts';

/** One archived change of a coupon. */
export interface ArchivedChange {
  readonly kind: string;
  readonly atMs: number;
  /** Empty when it was about no order. */
  readonly orderId: string;
}

/** What an event did to a coupon it wrote; kinds that are missing here issued it, which its row tells. */
const CHANGES: Readonly<Record<string, CouponChange>> = {
  hidden: CouponChange.HIDDEN,
  reserved: CouponChange.RESERVED,
  committed: CouponChange.USED,
  used: CouponChange.USED,
  released: CouponChange.RELEASED,
  lapsed: CouponChange.RELEASED,
  returned: CouponChange.RETURNED,
  refunded: CouponChange.RETURNED,
  revoked: CouponChange.REVOKED,
  erased: CouponChange.REVOKED,
};

/**
 * Archived changes of a coupon, oldest first; those up to entry `sinceSeq` are waited for a little, so that who has just
 * changed a coupon finds it in the history.
 */
export type ReadCouponChanges = (
  couponId: string,
  sinceSeq: number | undefined,
  deadlineMs: number,
) => Promise<readonly ArchivedChange[]>;

type HistoryEntry = MessageInitShape<typeof CouponHistoryEntrySchema>;

function historyOf(
  coupon: WalletCoupon,
  changes: readonly ArchivedChange[],
  reason: string,
  nowMs: number,
): HistoryEntry[] {
  const issued = { change: CouponChange.ISSUED, occurredAt: timestampFromMs(coupon.issuedAtMs) };
  const later = changes.flatMap(({ kind, atMs, orderId }): HistoryEntry[] => {
    const change = CHANGES[kind];
    if (change === undefined) return [];
    const why = change === CouponChange.REVOKED ? reason : '';
    return [{ change, occurredAt: timestampFromMs(atMs), orderId, reason: why }];
  });
  return [issued, ...later, ...expiryOf(coupon, nowMs)];
}

/** A date that passed is written down nowhere in the ledger: the coupon says it. */
function expiryOf(coupon: WalletCoupon, nowMs: number): HistoryEntry[] {
  const { expiresAtMs } = coupon;
  if (expiresAtMs === undefined || stateAt(coupon, nowMs) !== 'expired') return [];
  return [{ change: CouponChange.EXPIRED, occurredAt: timestampFromMs(expiresAtMs) }];
}

/** Makes the handler. */
export function getCoupon(deps: {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly book: PromotionBook;
  readonly couponChanges: ReadCouponChanges;
}): UnaryHandler<typeof GetCouponRequestSchema, typeof GetCouponResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const parts = parseCouponId(request.couponId);
    const coupon =
      parts && (await deps.ledger.read(context.deadlineMs, (reads) => reads.coupon(userId, parts.fieldHex)));
    if (coupon?.couponId !== request.couponId)
      throw new Refusal('COUPON_NOT_FOUND', 'There is no such coupon');
    const [message] = await couponMessages(userId, [coupon], deps, context);
    const sinceSeq = await deps.ledger.read(context.deadlineMs, (reads) => reads.lastSeq(userId));
    const changes = await deps.couponChanges(request.couponId, sinceSeq, context.deadlineMs);
    return {
      ...(message && { coupon: message }),
      history: historyOf(coupon, changes, message?.revokeReason ?? '', context.nowMs),
    };
  };
}
