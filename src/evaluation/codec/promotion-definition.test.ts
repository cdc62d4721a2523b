import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import type { PromotionDefinition } from '../../domain/promotion.ts';
import { ReachSchema } from '../../gen/hongbao/v1/availability_pb.ts';
import { type Promotion, PromotionSchema } from '../../gen/hongbao/v1/promotion_pb.ts';
import { promotionDefinition } from './promotion-definition.ts';

const plain: object = {
  promotionId: 'duck',
  version: 3,
  ref: 7,
  state: 2,
  currency: 'CNY',
  effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 2_000n } } },
  reach: { way: { case: 'automatic', value: {} } },
};

const plainDefinition: PromotionDefinition = {
  ref: 7,
  id: 'duck',
  version: 3,
  isActive: true,
  isUseSuspended: false,
  currency: 'CNY',
  priority: 0,
  effect: { kind: 'fixed_amount_off', amountMinor: 2_000 },
  rules: [],
  reach: { kind: 'automatic' },
  audience: { kind: 'everyone' },
  checkAudienceAtUse: false,
};

const promotion = (changes: object = {}): Promotion =>
  create(PromotionSchema, { ...plain, ...changes } as never);

function definitionOf(changes: object): PromotionDefinition {
  const { definition, faults } = promotionDefinition(promotion(changes));
  return definition ?? expect.fail(JSON.stringify(faults));
}

const faultsOf = (changes: object): string[] =>
  (promotionDefinition(promotion(changes)).faults ?? []).map(({ field }) => field);

test('a promotion that says nothing more has the defaults', () => {
  expect(definitionOf({})).toEqual(plainDefinition);
});

const REACHES: readonly {
  init: { case: string; value: object };
  reach: PromotionDefinition['reach'];
}[] = [
  { init: { case: 'automatic', value: {} }, reach: { kind: 'automatic' } },
  { init: { case: 'claimable', value: {} }, reach: { kind: 'claimable' } },
  {
    init: { case: 'code', value: { codes: { case: 'publicCode', value: { code: 'WELCOME-10' } } } },
    reach: { kind: 'public_code', code: 'welcome-10' },
  },
  {
    init: { case: 'code', value: { codes: { case: 'singleUseCodes', value: { prefix: 'A' } } } },
    reach: { kind: 'single_use_codes' },
  },
  { init: { case: 'pointsExchange', value: { pointsRequired: 5n } }, reach: { kind: 'points_exchange' } },
  {
    init: { case: 'granted', value: { occasion: { case: 'staff', value: {} } } },
    reach: { kind: 'granted' },
  },
];

test('every way to people is among the examples', () => {
  expect(new Set(REACHES.map(({ init }) => init.case))).toEqual(
    new Set(ReachSchema.oneofs[0]?.fields.map(({ localName }) => localName)),
  );
});

test.each(REACHES)('the way $reach.kind is read', ({ init, reach }) => {
  expect(definitionOf({ reach: { way: init } }).reach).toEqual(reach);
});

const cases: readonly { what: string; changes: object; definition: Partial<PromotionDefinition> }[] = [
  ...[0, 1, 3, 4].map((state) => ({
    what: `in state ${state}`,
    changes: { state },
    definition: { isActive: false },
  })),
  { what: 'suspended', changes: { suspendUse: true }, definition: { isUseSuspended: true } },
  { what: 'with a priority', changes: { priority: -5 }, definition: { priority: -5 } },
  {
    what: 'for new users',
    changes: { target: { audience: { case: 'newUsers', value: {} } } },
    definition: { audience: { kind: 'new_users' } },
  },
  {
    what: 'for users new for a month, checked at use',
    changes: {
      target: { audience: { case: 'newUsers', value: { registeredWithinDays: 30 } }, checkAtUse: true },
    },
    definition: { audience: { kind: 'new_users', registeredWithinDays: 30 }, checkAudienceAtUse: true },
  },
  {
    what: 'for tagged users',
    changes: { target: { audience: { case: 'taggedUsers', value: { anyOfTags: ['vip'] } } } },
    definition: { audience: { kind: 'tagged_users', anyOf: ['vip'] } },
  },
  {
    what: 'for everyone',
    changes: { target: { audience: { case: 'everyone', value: {} } } },
    definition: { audience: { kind: 'everyone' } },
  },
  {
    what: 'between two moments',
    changes: {
      validity: {
        kind: {
          case: 'fixedDates',
          value: { startsAt: { seconds: 5n, nanos: 7_999_999 }, endsAt: { seconds: 9n } },
        },
      },
    },
    definition: { startsAtMs: 5_007, endsAtMs: 9_000 },
  },
  {
    what: 'some days after the claim',
    changes: { validity: { kind: { case: 'daysAfterClaim', value: { days: 3 } } } },
    definition: {},
  },
  {
    what: 'with a budget',
    changes: { limits: { budget: { amountMinor: 100n } } },
    definition: { budget: { amountMinor: 100, shortfall: 'refuse' } },
  },
  {
    what: 'with a budget that cuts',
    changes: { limits: { budget: { amountMinor: 100n, shortfall: 2 }, usesTotal: 5n } },
    definition: { budget: { amountMinor: 100, shortfall: 'cut' } },
  },
];

test.each(cases)('a promotion $what', ({ changes, definition }) => {
  expect(definitionOf(changes)).toEqual({ ...plainDefinition, ...definition });
});

const exclude = (kind: number): object => ({
  kind: { case: 'stackability', value: { excludedKinds: [kind] } },
});
const tooMuch = 2n ** 53n;

const FAULTY: readonly { what: string; changes: object; fields: string[] }[] = [
  { what: 'no effect', changes: { effect: {} }, fields: ['effect.kind'] },
  { what: 'no way to people', changes: { reach: {} }, fields: ['reach.way'] },
  {
    what: 'no codes',
    changes: { reach: { way: { case: 'code', value: {} } } },
    fields: ['reach.code.codes'],
  },
  { what: 'an audience of a newer kind', changes: { target: {} }, fields: ['target.audience'] },
  { what: 'a validity of a newer kind', changes: { validity: {} }, fields: ['validity.kind'] },
  {
    what: 'an amount beyond the safe range',
    changes: { effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: tooMuch } } } },
    fields: ['effect.fixed_amount_off.amount_minor'],
  },
  {
    what: 'an enum value of a newer version',
    changes: { effect: { kind: { case: 'percentOff', value: { base: 99 } } } },
    fields: ['effect.percent_off.base'],
  },
  {
    what: 'tiers of two sorts',
    changes: {
      effect: {
        kind: {
          case: 'tieredOff',
          value: {
            tiers: [
              { threshold: { case: 'spendMinor', value: 1n }, off: { case: 'amountOffMinor', value: 1n } },
              { threshold: { case: 'quantity', value: 1 }, off: { case: 'amountOffMinor', value: 1n } },
            ],
          },
        },
      },
    },
    fields: ['effect.tiered_off.tiers[1].threshold'],
  },
  {
    what: 'a tier without a threshold',
    changes: { effect: { kind: { case: 'tieredOff', value: { tiers: [{}] } } } },
    fields: ['effect.tiered_off.tiers[0].threshold'],
  },
  {
    what: 'faults in several parts',
    changes: {
      effect: {},
      rules: [
        {},
        { kind: { case: 'minimumSpend', value: { amountMinor: 1n } } },
        { kind: { case: 'itemEligibility', value: {} } },
        { kind: { case: 'customAttribute', value: { attribute: 'a' } } },
        exclude(0),
        exclude(99),
      ],
      limits: { budget: { amountMinor: tooMuch } },
    },
    fields: [
      'effect.kind',
      'rules[0].kind',
      'rules[2].item_eligibility.selection',
      'rules[3].custom_attribute.condition',
      'rules[4].stackability.excluded_kinds[0]',
      'rules[5].stackability.excluded_kinds[0]',
      'limits.budget.amount_minor',
    ],
  },
];

test.each(FAULTY)('a promotion with $what is not read, and every part says why', ({ changes, fields }) => {
  expect(faultsOf(changes)).toEqual(fields);
});

test('an empty message is not read', () => {
  const { faults } = promotionDefinition(create(PromotionSchema));
  expect(faults?.map(({ field }) => field)).toEqual(['effect', 'reach']);
});

test('a fault names the promotion and its version', () => {
  expect(promotionDefinition(promotion({ reach: {} })).faults).toEqual([
    {
      promotionId: 'duck',
      version: 3,
      field: 'reach.way',
      reason: 'is missing or of a kind that is not known',
    },
  ]);
});
