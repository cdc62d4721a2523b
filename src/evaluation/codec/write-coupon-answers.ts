import type { HeldCoupon } from '../../engine/evaluation-input.ts';
import type { Verdict } from '../../engine/judge-coupons.ts';
import {
  encodeListUsableCouponsResponse,
  encodeValidateCouponResponse,
  type JudgedCoupon,
} from '../../gen/hot/cart-responses.ts';
import { byCouponId } from '../by-coupon-id.ts';
import { rejectionMessage } from './rejection-message.ts';

/** What an answer carries beside the verdicts. */
export interface AnswerContext {
  /** The version of the rules that decided. */
  readonly ruleSetVersion: number;
  /** The moment the answer is for, in epoch milliseconds. */
  readonly atMs: number;
}

/**
 * Writes a ListUsableCouponsResponse with the verdicts on coupons: usable ones first, the largest saving first, then the
 * sooner end, then the coupon id. `coupons` is the wallet they are of.
 */
export function writeUsableCoupons(
  verdicts: readonly Verdict[],
  coupons: readonly HeldCoupon[],
  { ruleSetVersion, atMs }: AnswerContext,
): Buffer {
  const ends = new Map(coupons.map(({ couponId, expiresAtMs }) => [couponId, expiresAtMs]));
  const judged = verdicts.flatMap((verdict) => judgedCoupon(verdict, ends) ?? []).sort(byUse);
  return encodeListUsableCouponsResponse({ ruleSetVersion, coupons: judged, evaluatedAt: atMs });
}

/** Writes a ValidateCouponResponse. */
export function writeValidation(verdict: Verdict, { ruleSetVersion, atMs }: AnswerContext): Buffer {
  const { promotionId, promotionVersion } = verdict;
  const outcome = outcomeOf(verdict);
  return encodeValidateCouponResponse({
    ruleSetVersion,
    promotionId,
    promotionVersion,
    outcome,
    evaluatedAt: atMs,
  });
}

function judgedCoupon(
  verdict: Verdict,
  ends: ReadonlyMap<string, number | undefined>,
): JudgedCoupon | undefined {
  const { source, promotionId, promotionVersion } = verdict;
  if (source.kind !== 'coupon') return undefined;
  const { couponId } = source;
  const outcome = outcomeOf(verdict);
  return { couponId, promotionId, promotionVersion, expiresAt: ends.get(couponId), outcome };
}

function outcomeOf({ failure, savesMinor, giftUnits, bonusPoints }: Verdict): JudgedCoupon['outcome'] {
  if (failure !== undefined) return { case: 'rejection', value: rejectionMessage(failure) };
  const value = { discountMinor: savesMinor, giftUnits: giftUnits ?? 0, bonusPoints: bonusPoints ?? 0 };
  return { case: 'usable', value };
}

function byUse(left: JudgedCoupon, right: JudgedCoupon): number {
  const bySaving = savingRank(right) - savingRank(left);
  if (bySaving !== 0) return bySaving;
  const leftEnd = left.expiresAt ?? Number.MAX_SAFE_INTEGER;
  const rightEnd = right.expiresAt ?? Number.MAX_SAFE_INTEGER;
  if (leftEnd !== rightEnd) return leftEnd - rightEnd;
  return byCouponId(left, right);
}

/** A coupon that cannot be used ranks below one that saves nothing. */
function savingRank({ outcome }: JudgedCoupon): number {
  return outcome.case === 'usable' ? (outcome.value.discountMinor ?? 0) : -1;
}
