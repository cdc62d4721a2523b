/** GetCoupon: one coupon with its history. The state is live; what happened after the claim is read from the archive. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { parseCouponId } from '../../domain/coupon.ts';
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
}

const CHANGES: Readonly<Record<string, CouponChange>> = { hidden: CouponChange.HIDDEN };

type HistoryEntry = MessageInitShape<typeof CouponHistoryEntrySchema>;

function historyOf(coupon: WalletCoupon, changes: readonly ArchivedChange[]): HistoryEntry[] {
  const issued = { change: CouponChange.ISSUED, occurredAt: timestampFromMs(coupon.issuedAtMs) };
  const later = changes.map(({ kind, atMs }) => ({
    change: CHANGES[kind] ?? CouponChange.UNSPECIFIED,
    occurredAt: timestampFromMs(atMs),
  }));
  return [issued, ...later];
}

/** Makes the handler. */
export function getCoupon(deps: {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly book: PromotionBook;
  /** Archived changes of a coupon, oldest first. */
  readonly couponChanges: (couponId: string, deadlineMs: number) => Promise<readonly ArchivedChange[]>;
}): UnaryHandler<typeof GetCouponRequestSchema, typeof GetCouponResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const parts = parseCouponId(request.couponId);
    const coupon =
      parts && (await deps.ledger.read(context.deadlineMs, (reads) => reads.coupon(userId, parts.fieldHex)));
    if (coupon?.couponId !== request.couponId)
      throw new Refusal('COUPON_NOT_FOUND', 'There is no such coupon');
    const [message] = await couponMessages(userId, [coupon], deps.book, context);
    const changes = await deps.couponChanges(request.couponId, context.deadlineMs);
    return { ...(message && { coupon: message }), history: historyOf(coupon, changes) };
  };
}
