/** Random coupons, and which of them the caller wants used. */
import fc from 'fast-check';
import type { CouponState } from '../../src/domain/coupon.ts';
import type { HeldCoupon, Selection } from '../../src/engine/evaluation-input.ts';
import { maybe, mostly } from './random-chances.ts';
import { AT_MS } from './random-orders.ts';
import type { Promotions } from './random-promotions.ts';

/** A ref that no promotion has. */
const NO_SUCH_REF = 99;

interface CouponBody {
  /** Which of the promotions, counted on and on. */
  readonly promotion: number;
  readonly isOld: boolean;
  readonly state: CouponState;
  readonly validFromMs: number;
  readonly expiresAtMs: number | undefined;
}

const couponBodies: fc.Arbitrary<CouponBody> = fc.record({
  promotion: fc.nat(),
  isOld: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  state: fc.oneof(
    { weight: 12, arbitrary: fc.constant('unused' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'used' as const,
        'reserved' as const,
        'expired' as const,
        'revoked' as const,
      ),
    },
  ),
  validFromMs: mostly(0, AT_MS, AT_MS + 1),
  expiresAtMs: fc.oneof(
    maybe(AT_MS + 10, AT_MS + 20),
    mostly<number | undefined>(undefined, AT_MS, AT_MS - 1),
  ),
});

/** How many coupons the user has, and whether all of them can be used now. */
export interface WalletSort {
  readonly coupons: { readonly min: number; readonly max: number };
  readonly isPlain: boolean;
}

/** Coupons of these promotions; where they are not plain, also of one that is not there. */
export function couponLists(
  { coupons: { min: minLength, max: maxLength }, isPlain }: WalletSort,
  { current, older }: Promotions,
): fc.Arbitrary<HeldCoupon[]> {
  const targets = isPlain ? current : [...current, ...current, ...current, undefined];
  const ids = ['k1', 'k2', 'k3', 'k4'];
  return fc
    .tuple(
      fc.array(couponBodies, { minLength, maxLength }),
      fc.shuffledSubarray(ids, { minLength: maxLength, maxLength }),
    )
    .map(([list, shuffledIds]) =>
      list.map((body, at) => {
        const target = targets[body.promotion % Math.max(1, targets.length)];
        const hasOld = older.some(({ ref }) => ref === target?.ref);
        const name = { couponId: shuffledIds[at] ?? `k${at}`, promotionRef: target?.ref ?? NO_SUCH_REF };
        return isPlain ? plainCoupon(name, body) : coupon(name, body, hasOld);
      }),
    );
}

type CouponName = Pick<HeldCoupon, 'couponId' | 'promotionRef'>;

function coupon(name: CouponName, body: CouponBody, hasOld: boolean): HeldCoupon {
  const { isOld, state, validFromMs, expiresAtMs } = body;
  const promotionVersion = isOld && hasOld ? 1 : 2;
  const ends = expiresAtMs === undefined ? {} : { expiresAtMs };
  return { ...name, promotionVersion, state, validFromMs, ...ends };
}

function plainCoupon(name: CouponName, { expiresAtMs }: CouponBody): HeldCoupon {
  const ends = expiresAtMs === undefined ? {} : { expiresAtMs: Math.max(expiresAtMs, AT_MS) };
  return { ...name, promotionVersion: 2, state: 'unused', validFromMs: 0, ...ends };
}

/** What the caller wants used. */
export const ownSelections: fc.Arbitrary<Selection> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'best' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('own' as const),
      couponIds: fc
        .shuffledSubarray(['k1', 'k2', 'k3', 'k4'])
        .map((ids) => (ids.length === 4 ? [...ids, 'k9'] : ids)),
      codes: fc.shuffledSubarray(['x', ' Y ']),
    }),
  },
);
