/** Random promotions, put together from random effects and rules. */
import fc from 'fast-check';
import type { Audience, Effect, PromotionDefinition, ReachWay, Rule } from '../../src/domain/promotion.ts';
import { known, mostly } from './random-chances.ts';
import { AT_MS } from './random-orders.ts';
import { TAGS } from './random-rules.ts';

/** Promotions as they are now, and as they were. */
export interface Promotions {
  readonly current: readonly PromotionDefinition[];
  readonly older: readonly PromotionDefinition[];
}

/** What sort of promotions to make. */
export interface PromotionSort {
  readonly effects: fc.Arbitrary<Effect>;
  readonly rules: fc.Arbitrary<Rule>;
  readonly maxRules: number;
  readonly promotions: { readonly min: number; readonly max: number };
  readonly ways: fc.Arbitrary<ReachWay>;
  /** Everything is usable for the user and at the moment, so that all depends on money and stacking. */
  readonly isPlain: boolean;
}

const audiences: fc.Arbitrary<Audience> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ kind: 'everyone' as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { kind: 'new_users' as const },
      { kind: 'new_users' as const, registeredWithinDays: 7 },
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .subarray([...TAGS], { minLength: 1 })
      .map((anyOf) => ({ kind: 'tagged_users' as const, anyOf })),
  },
);

/** All ways a promotion gets to people that an evaluation tells apart. */
export const ways: fc.Arbitrary<ReachWay> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ kind: 'automatic' as const }) },
  { weight: 3, arbitrary: fc.constantFrom({ kind: 'claimable' as const }, { kind: 'granted' as const }) },
  { weight: 2, arbitrary: fc.constantFrom('x', 'y').map((code) => ({ kind: 'public_code' as const, code })) },
);

const circumstances = fc.record({
  isActive: fc.oneof(
    { weight: 9, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constant(false) },
  ),
  isUseSuspended: fc.oneof(
    { weight: 19, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  audience: audiences,
  checkAudienceAtUse: fc.boolean(),
  window: fc
    .record({
      startsAtMs: mostly<number | undefined>(undefined, AT_MS, AT_MS, AT_MS + 1),
      endsAtMs: mostly<number | undefined>(undefined, AT_MS, AT_MS, AT_MS - 1),
    })
    .map(known),
});

const PLAIN = {
  isActive: true,
  isUseSuspended: false,
  audience: { kind: 'everyone' },
  checkAudienceAtUse: false,
  window: {},
} as const;

const budgets = fc.oneof(
  { weight: 8, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      amountMinor: fc.integer({ min: 1, max: 60 }),
      shortfall: fc.constantFrom('refuse' as const, 'cut' as const),
    }),
  },
);

/** Where a whole situation is in another currency, a promotion now and then is not. */
const currencies = fc.oneof(
  { weight: 24, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constant('USD') },
);

/** Stands for the currency of the cart until there is one. */
export const OF_CART = '';

type Body = Omit<PromotionDefinition, 'ref' | 'id' | 'version'>;

function bodies(sort: PromotionSort): fc.Arbitrary<Body> {
  return fc
    .record({
      effect: sort.effects,
      rules: fc.uniqueArray(sort.rules, { maxLength: sort.maxRules, selector: ({ kind }) => kind }),
      priority: fc.integer({ min: 0, max: 2 }),
      reach: sort.ways,
      budget: budgets,
      currency: sort.isPlain ? fc.constant(undefined) : currencies,
      circumstances: sort.isPlain ? fc.constant(PLAIN) : circumstances,
    })
    .map(
      ({
        effect,
        rules,
        budget,
        currency = OF_CART,
        circumstances: { window, ...circumstance },
        ...rest
      }) => ({
        ...rest,
        ...circumstance,
        ...window,
        currency,
        effect,
        rules: rules.filter((rule) => isSensible(rule, effect)),
        ...(budget === undefined ? {} : { budget }),
      }),
    );
}

/** What the service refuses when a promotion is saved is not asked of the engine. */
function isSensible({ kind }: Rule, effect: Effect): boolean {
  if (kind === 'minimum_spend') return effect.kind !== 'no_threshold_voucher';
  const isAboutGifts = kind === 'conditional_gift_item' || kind === 'spend_for_gift';
  return !isAboutGifts || effect.kind === 'gift_items';
}

/** A few promotions, of some of which there is an older version. */
export function promotionLists(sort: PromotionSort): fc.Arbitrary<Promotions> {
  const body = bodies(sort);
  const { min, max } = sort.promotions;
  const before = fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: body });
  return fc
    .record({
      ids: fc.shuffledSubarray(['a', 'b', 'c', 'd', 'e', 'f', 'g'], { minLength: max, maxLength: max }),
      versions: fc.array(fc.record({ now: body, before }), { minLength: min, maxLength: max }),
    })
    .map(({ ids, versions }) => {
      const named = versions.map((each, at) => ({ ...each, ref: at + 1, id: ids[at] ?? `p${at}` }));
      return {
        current: named.map(({ now, ref, id }) => ({ ...now, ref, id, version: 2 })),
        older: named.flatMap((each) =>
          each.before === undefined ? [] : [{ ...each.before, ref: each.ref, id: each.id, version: 1 }],
        ),
      };
    });
}
