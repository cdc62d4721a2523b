/**
 * GetCoupon: one coupon with its history. The state is live, or as archived once the coupon has left Redis; what happened
 * after the claim is read from the archive.
 */
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
import type { WalletCoupon } from '../../ledger/wallet.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { type CouponDetails, readCouponDetails, readRetiredDetails } from '../coupon-details.ts';
import { detailedMessages } from '../coupon-message.ts';
import type { PromotionSummaries } from '../promotion-summaries.ts';
import type { WholeWalletPorts } from '../whole-wallet.ts';

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
export type ReadCouponChanges = (ask: CouponAsk, deadlineMs: number) => Promise<readonly ArchivedChange[]>;

/** Which coupon, whose it is, and the entry of the user's partition to wait for. */
export interface CouponAsk {
  readonly userId: string;
  readonly couponId: string;
  readonly sinceSeq: number | undefined;
}

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

interface CouponPorts {
  readonly wallets: WholeWalletPorts;
  readonly summaries: PromotionSummaries;
  readonly couponChanges: ReadCouponChanges;
}

/** A coupon of the user, and what its order and its revocation say. */
interface FoundCoupon {
  readonly coupon: WalletCoupon;
  readonly details: CouponDetails;
  /** Entry that last changed anything of the user. */
  readonly sinceSeq: number | undefined;
}

/** Finds the coupon in the wallet, or in the archive when coupons have left the wallet. */
async function findCoupon(
  { wallets: { ledger, retired } }: CouponPorts,
  userId: string,
  couponId: string,
  deadlineMs: number,
): Promise<FoundCoupon | undefined> {
  const parts = parseCouponId(couponId);
  if (parts === undefined) return undefined;
  const [live, retiredCount, sinceSeq] = await ledger.read(deadlineMs, (reads) =>
    Promise.all([reads.coupon(userId, parts.fieldHex), reads.retiredCount(userId), reads.lastSeq(userId)]),
  );
  if (live !== undefined) {
    if (live.couponId !== couponId) return undefined;
    return { coupon: live, details: await readCouponDetails(ledger, userId, [live], deadlineMs), sinceSeq };
  }
  const left = retiredCount > 0 ? await retired.find(userId, couponId, deadlineMs) : undefined;
  if (left === undefined) return undefined;
  return { coupon: left, details: await readRetiredDetails(retired, userId, [left], deadlineMs), sinceSeq };
}

/** Makes the handler. */
export function getCoupon(
  deps: CouponPorts,
): UnaryHandler<typeof GetCouponRequestSchema, typeof GetCouponResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const found = await findCoupon(deps, userId, request.couponId, context.deadlineMs);
    if (found === undefined) throw new Refusal('COUPON_NOT_FOUND', 'There is no such coupon');
    const { coupon, details, sinceSeq } = found;
    const [message] = await detailedMessages(userId, [coupon], details, deps.summaries, context);
    const changes = await deps.couponChanges(
      { userId, couponId: request.couponId, sinceSeq },
      context.deadlineMs,
    );
    return {
      ...(message && { coupon: message }),
      history: historyOf(coupon, changes, message?.revokeReason ?? '', context.nowMs),
    };
  };
}
