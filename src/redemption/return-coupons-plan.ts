/**
 * Giving uses of a committed order back: what becomes of each coupon, which uses count no longer, and the steps that make it
 * so. Shared by returns and by refunds that leave nothing of an order.
 */
import { CorruptRecordError } from '../domain/record-json.ts';
import type { Redemption, RedemptionCoupon, RedemptionPromotion } from '../domain/redemption.ts';
import type { ReturnedCoupon } from '../domain/refund-record.ts';
import { ACCOUNT_FIELDS } from '../ledger/record-fields.ts';
import { accountOf, type Step } from '../ledger/transaction.ts';
import { changedCoupon, liveChange, type ReadCoupon, readCoupon, replaceCoupon } from './coupon-steps.ts';
import type { KnownOrder } from './read-order.ts';
import type { ReturnPolicies, ReturnPolicy } from './return-coupons-policy.ts';
import { giveBackUses } from './usage-steps.ts';

/** What is to be given back. */
export interface GiveBackPlan {
  /** The coupons that were asked for and had not been returned. */
  readonly coupons: readonly ReturnedCoupon[];
  readonly steps: readonly Step[];
  /** Nothing of the order is used any more, apart from uses that are never given back. */
  readonly isOver: boolean;
  readonly after: Pick<Redemption, 'coupons' | 'promotions'>;
}

/** What becomes of one coupon. */
interface CouponEnd {
  readonly returned: ReturnedCoupon;
  readonly steps: readonly Step[];
  /** The wallet has one live coupon more. */
  readonly isLive: boolean;
}

const EXPIRES_OFFSET = 24;
const LAST_INSTANT_MS = 2 ** 48 - 1;

/**
 * Plans to give back the uses of some coupons, or of all the order used. `nowMs` is a guess at the moment of the decision;
 * steps hold it to the side of each coupon's date that was planned for.
 */
export function planGiveBack(
  order: KnownOrder,
  couponIds: ReadonlySet<string> | 'all',
  policies: ReturnPolicies,
  nowMs: number,
): GiveBackPlan {
  const { redemption, userId } = order;
  const asked = redemption.coupons.filter(
    ({ couponId, returned }) => !returned && (couponIds === 'all' || couponIds.has(couponId)),
  );
  const ends = asked.map((coupon) => endOf(order, coupon, policies.of(coupon), nowMs));
  const given = new Set(
    ends.flatMap(({ returned }) => (returned.outcome === 'stays_used' ? [] : [returned.couponId])),
  );
  const coupons = redemption.coupons.map((coupon) =>
    given.has(coupon.couponId) ? { ...coupon, returned: true } : coupon,
  );
  const isOver =
    couponIds === 'all' || coupons.every((coupon) => coupon.returned || policies.of(coupon).staysUsed);
  const uses = redemption.promotions.filter((use) => isGivenBack(use, given, isOver, policies));
  return {
    coupons: ends.map(({ returned }) => returned),
    steps: [
      ...ends.flatMap(({ steps }) => steps),
      ...liveChange(userId, ends.filter(({ isLive }) => isLive).length),
      ...giveBackUses(uses, userId),
    ],
    isOver,
    after: {
      coupons,
      promotions: redemption.promotions.map((use) =>
        uses.includes(use) ? { ...use, givenBack: true } : use,
      ),
    },
  };
}

/** The use of a returned coupon counts no longer; those of codes and of promotions by themselves do until the order is over. */
function isGivenBack(
  use: RedemptionPromotion,
  returned: ReadonlySet<string>,
  isOver: boolean,
  policies: ReturnPolicies,
): boolean {
  if (use.givenBack) return false;
  if (use.couponId !== undefined) return returned.has(use.couponId);
  return isOver && !policies.of(use).staysUsed;
}

function endOf(
  order: KnownOrder,
  { couponId }: RedemptionCoupon,
  policy: ReturnPolicy,
  nowMs: number,
): CouponEnd {
  const coupon = readCoupon(order, couponId);
  if (coupon === undefined) throw new CorruptRecordError('a coupon of the order is not in the wallet');
  const { state, expiresAtMs } = coupon.value;
  const date = expiresAtMs === undefined ? {} : { expiresAtMs };
  if (state === 'revoked') {
    return { returned: { couponId, outcome: 'revoked', ...date }, steps: [], isLive: false };
  }
  if (state !== 'used' || coupon.orderId !== order.orderId)
    throw new CorruptRecordError(`a coupon of the order is ${state}`);
  if (coupon.isRevoked) {
    const steps = leave(order, coupon, changedCoupon(coupon, { state: 'revoked' }));
    return { returned: { couponId, outcome: 'revoked', ...date }, steps, isLive: false };
  }
  if (policy.staysUsed)
    return { returned: { couponId, outcome: 'stays_used', ...date }, steps: [], isLive: false };
  return expiresAtMs !== undefined && nowMs > expiresAtMs
    ? endAfterDate(order, coupon, expiresAtMs, policy.extendByMs)
    : endBeforeDate(order, coupon, expiresAtMs);
}

/** A coupon that can be used again is shown again, though its owner hid it while it was used. */
const USABLE = { state: 'unused', hidden: false } as const;

function endBeforeDate(
  order: KnownOrder,
  coupon: ReadCoupon,
  expiresAtMs: number = LAST_INSTANT_MS,
): CouponEnd {
  const { couponId, value } = coupon;
  return {
    returned: {
      couponId,
      outcome: 'usable_again',
      ...(value.expiresAtMs !== undefined && { expiresAtMs }),
    },
    steps: [
      { kind: 'within', fromMs: 0, toMs: expiresAtMs },
      ...leave(order, coupon, changedCoupon(coupon, USABLE)),
    ],
    isLive: true,
  };
}

/** Past its date the coupon goes back as it is, and every reader sees it expired; or it gets a new date. */
function endAfterDate(
  order: KnownOrder,
  coupon: ReadCoupon,
  expiresAtMs: number,
  extendByMs: number | undefined,
): CouponEnd {
  const { couponId } = coupon;
  const isPast: Step = { kind: 'within', fromMs: expiresAtMs + 1, toMs: LAST_INSTANT_MS };
  const change = extendByMs === undefined ? ({ state: 'unused' } as const) : USABLE;
  const steps = [isPast, ...leave(order, coupon, changedCoupon(coupon, change), extendByMs)];
  return extendByMs === undefined
    ? { returned: { couponId, outcome: 'expired', expiresAtMs }, steps, isLive: false }
    : { returned: { couponId, outcome: 'extended', extendedByMs: extendByMs }, steps, isLive: true };
}

/** The coupon leaves the order, with these bytes in the wallet. */
function leave(
  { userId }: KnownOrder,
  coupon: ReadCoupon,
  value: Buffer,
  extendByMs: number | undefined = undefined,
): Step[] {
  const times = extendByMs === undefined ? [] : [{ offset: EXPIRES_OFFSET, plusMs: extendByMs }];
  return [
    ...replaceCoupon(userId, coupon, value).map((step) =>
      step.kind === 'set' && times.length > 0 ? { ...step, times } : step,
    ),
    { kind: 'remove', on: accountOf(userId), field: ACCOUNT_FIELDS.holder.bytes(coupon.field) },
  ];
}
