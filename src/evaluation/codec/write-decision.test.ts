import { fromBinary, toJson } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import type { Cart } from '../../domain/cart.ts';
import { type Decision, type Failure, REJECTION_REASONS } from '../../domain/decision.ts';
import type { RuleKind } from '../../domain/promotion.ts';
import {
  EvaluateCartResponseSchema,
  ListUsableCouponsResponseSchema,
  ValidateCouponResponseSchema,
} from '../../gen/hongbao/v1/cart_service_pb.ts';
import { RuleKindSchema } from '../../gen/hongbao/v1/rule_pb.ts';
import { writeUsableCoupons, writeValidation } from './write-coupon-answers.ts';
import { writeDecision } from './write-decision.ts';

const cart: Cart = {
  currency: 'CNY',
  taxMode: 'included',
  lines: ['b', 'a'].map((lineId) => ({
    lineId,
    itemId: 'duck',
    categoryIds: [],
    quantity: 3,
    unitPriceMinor: 4_000,
    isOnSale: false,
  })),
  shippingMinor: 800,
  attributes: new Map(),
};

const nothing: Decision = {
  ruleSetVersion: 0,
  lines: [],
  totals: {
    itemsMinor: 0,
    shippingMinor: 0,
    itemsDiscountMinor: 0,
    shippingDiscountMinor: 0,
    payableMinor: 0,
  },
  applied: [],
  rejected: [],
  nearMisses: [],
  bonusPoints: 0,
  isProvenOptimal: false,
};

const decision: Decision = {
  ruleSetVersion: 41,
  lines: [
    { originalMinor: 12_000, discountMinor: 1_000, payableMinor: 11_000 },
    { originalMinor: 12_000, discountMinor: 0, payableMinor: 12_000 },
  ],
  totals: {
    itemsMinor: 24_000,
    shippingMinor: 800,
    itemsDiscountMinor: 1_000,
    shippingDiscountMinor: 300,
    payableMinor: 23_500,
  },
  applied: [
    {
      promotionId: 'duck',
      promotionRef: 7,
      promotionVersion: 2,
      source: { kind: 'coupon', couponId: 'ab'.repeat(22) },
      class: 'item',
      discountMinor: 1_300,
      shares: [
        {
          lineIndex: 0,
          amountMinor: 1_000,
          units: [
            { units: 1, amountMinor: 334 },
            { units: 2, amountMinor: 333 },
          ],
        },
      ],
      shippingDiscountMinor: 300,
      gifts: [{ itemId: 'tea', quantity: 2 }],
      bonusPoints: 50,
    },
  ],
  rejected: [
    {
      promotionId: 'soup',
      promotionVersion: 1,
      source: { kind: 'automatic' },
      reason: 'MINIMUM_SPEND_NOT_MET',
      ruleIndex: 0,
      ruleKind: 'minimum_spend',
      needed: 30_000,
      seen: 24_000,
      shortfall: { kind: 'minor', missing: 6_000 },
    },
    {
      promotionId: '',
      promotionVersion: 0,
      source: { kind: 'code', code: 'nope' },
      reason: 'NOT_COMBINABLE',
      needed: 'a',
      seen: 'b',
      conflictsWith: ['duck'],
    },
  ],
  nearMisses: [
    {
      promotionId: 'soup',
      source: { kind: 'automatic' },
      missing: 6_000,
      missingKind: 'minor',
      wouldSaveMinor: 2_000,
    },
    { promotionId: 'rice', source: { kind: 'code', code: 'rice' }, missing: 2, missingKind: 'units' },
  ],
  bonusPoints: 50,
  isProvenOptimal: true,
};

const context = { cart, atMs: 1_760_000_000_005, factsDigest: Uint8Array.of(1, 2) };
const jsonOf = (bytes: Uint8Array): object =>
  toJson(EvaluateCartResponseSchema, fromBinary(EvaluateCartResponseSchema, bytes)) as object;

// SPEC R10, R13
test('every field of a decision is written', () => {
  expect(jsonOf(writeDecision(decision, context))).toEqual({
    ruleSetVersion: '41',
    lines: [
      { lineId: 'b', originalMinor: '12000', discountMinor: '1000', payableMinor: '11000' },
      { lineId: 'a', originalMinor: '12000', payableMinor: '12000' },
    ],
    totals: {
      itemsMinor: '24000',
      shippingMinor: '800',
      itemsDiscountMinor: '1000',
      shippingDiscountMinor: '300',
      payableMinor: '23500',
    },
    applied: [
      {
        promotionId: 'duck',
        promotionVersion: 2,
        couponId: 'ab'.repeat(22),
        class: 'DISCOUNT_CLASS_ITEM',
        discountMinor: '1300',
        shares: [
          {
            amountMinor: '1000',
            units: [
              { units: 1, amountMinor: '334' },
              { units: 2, amountMinor: '333' },
            ],
          },
        ],
        shippingDiscountMinor: '300',
        gifts: [{ itemId: 'tea', quantity: 2 }],
        bonusPoints: '50',
      },
    ],
    rejected: [
      {
        promotionId: 'soup',
        promotionVersion: 1,
        rejection: {
          reason: 'REJECTION_REASON_MINIMUM_SPEND_NOT_MET',
          ruleIndex: 0,
          ruleKind: 'RULE_KIND_MINIMUM_SPEND',
          neededNumber: '30000',
          seenNumber: '24000',
          shortfallMinor: '6000',
        },
      },
      {
        code: 'nope',
        rejection: { reason: 'REJECTION_REASON_NOT_COMBINABLE', neededText: 'a', seenText: 'b' },
        conflictsWith: ['duck'],
      },
    ],
    nearMisses: [
      { promotionId: 'soup', missingMinor: '6000', wouldSaveMinor: '2000' },
      { promotionId: 'rice', code: 'rice', missingUnits: '2' },
    ],
    bonusPoints: '50',
    provenOptimal: true,
    evaluatedAt: '2025-10-09T08:53:20.005Z',
    factsDigest: 'AQI=',
  });
});

test('an explained decision carries the wallet and the trace', () => {
  const explained = writeDecision(
    {
      ...nothing,
      trace: [
        { phase: 'match', promotionId: 'a', source: { kind: 'automatic' }, outcome: 'passed' },
        {
          phase: 'check',
          promotionId: 'a',
          source: { kind: 'code', code: 'x' },
          outcome: 'failed',
          failure: { reason: 'QUANTITY_NOT_MET', shortfall: { kind: 'units', missing: 0 } },
        },
        { phase: 'combine', promotionId: 'a', source: { kind: 'automatic' }, outcome: 'dropped' },
        { phase: 'combine', promotionId: 'b', source: { kind: 'automatic' }, outcome: 'chosen' },
        {
          phase: 'apply',
          promotionId: 'b',
          source: { kind: 'automatic' },
          outcome: 'applied',
          amountMinor: 0,
        },
      ],
    },
    {
      ...context,
      atMs: 0,
      inputs: {
        wallet: [
          { couponId: 'c1', promotionRef: 7, promotionVersion: 2, state: 'unused', validFromMs: 5_000 },
          {
            couponId: 'c2',
            promotionRef: 8,
            promotionVersion: 1,
            state: 'reserved',
            validFromMs: 0,
            expiresAtMs: 9_000,
          },
        ],
        facts: {
          tags: new Set(['vip', 'gold']),
          ordersCompleted: 0,
          level: 'silver',
          attributes: new Map<string, string | number | boolean>([
            ['b', true],
            ['a', 3],
          ]),
        },
        resolvedCodes: [{ code: 'k7', promotionRef: 9, state: 'taken' }],
      },
    },
  );
  expect(jsonOf(explained)).toMatchObject({
    facts: {
      tags: ['gold', 'vip'],
      ordersCompleted: 0,
      level: 'silver',
      attributes: [
        { name: 'a', number: '3' },
        { name: 'b', flag: true },
      ],
    },
    resolvedCodes: [{ code: 'k7', promotionRef: 9, taken: true }],
    wallet: [
      {
        couponId: 'c1',
        promotionRef: 7,
        promotionVersion: 2,
        state: 'COUPON_STATE_UNUSED',
        validFrom: '1970-01-01T00:00:05Z',
      },
      {
        couponId: 'c2',
        promotionRef: 8,
        promotionVersion: 1,
        state: 'COUPON_STATE_RESERVED',
        validFrom: '1970-01-01T00:00:00Z',
        expiresAt: '1970-01-01T00:00:09Z',
      },
    ],
    trace: [
      { phase: 'TRACE_PHASE_MATCH', promotionId: 'a', outcome: 'TRACE_OUTCOME_PASSED' },
      {
        phase: 'TRACE_PHASE_CHECK',
        promotionId: 'a',
        code: 'x',
        outcome: 'TRACE_OUTCOME_FAILED',
        rejection: { reason: 'REJECTION_REASON_QUANTITY_NOT_MET', shortfallUnits: '0' },
      },
      { phase: 'TRACE_PHASE_COMBINE', outcome: 'TRACE_OUTCOME_DROPPED' },
      { phase: 'TRACE_PHASE_COMBINE', outcome: 'TRACE_OUTCOME_CHOSEN' },
      { phase: 'TRACE_PHASE_APPLY', outcome: 'TRACE_OUTCOME_APPLIED', amountMinor: '0' },
    ],
  });
});

test('the same decision is the same bytes', () => {
  expect(writeDecision(decision, context).equals(writeDecision(structuredClone(decision), context))).toBe(
    true,
  );
});

const reject = (failure: Failure): Decision => ({
  ...nothing,
  rejected: [{ promotionId: 'a', promotionVersion: 1, source: { kind: 'automatic' }, ...failure }],
});

test.each(REJECTION_REASONS)('the reason %s is written by its name', (reason) => {
  expect(jsonOf(writeDecision(reject({ reason }), context))).toMatchObject({
    rejected: [{ rejection: { reason: `REJECTION_REASON_${reason}` } }],
  });
});

test.each(RuleKindSchema.values.slice(1).map(({ name }) => name))(
  'the kind of rule %s is written by its name',
  (name) => {
    const ruleKind = name.slice('RULE_KIND_'.length).toLowerCase() as RuleKind;
    expect(jsonOf(writeDecision(reject({ reason: 'FACT_MISSING', ruleKind }), context))).toMatchObject({
      rejected: [{ rejection: { ruleKind: name } }],
    });
  },
);

// SPEC R12
describe('answers about coupons', () => {
  const at = { ruleSetVersion: 5, atMs: 1_000 };
  const verdict = (couponId: string, rest: object) => ({
    source: { kind: 'coupon', couponId } as const,
    promotionId: `of-${couponId}`,
    promotionVersion: 1,
    ...rest,
  });

  test('usable coupons come first, by saving, then by end', () => {
    const held = { promotionRef: 1, promotionVersion: 1, state: 'unused', validFromMs: 0 } as const;
    const bytes = writeUsableCoupons(
      [
        verdict('late', { savesMinor: 500 }),
        verdict('refused', { failure: { reason: 'COUPON_USED' } }),
        verdict('soon', { savesMinor: 500 }),
        verdict('gift', { savesMinor: 0, giftUnits: 2, bonusPoints: 3 }),
        { source: { kind: 'code', code: 'x' }, promotionId: '', promotionVersion: 0, savesMinor: 9_999 },
        verdict('best', { savesMinor: 900 }),
      ],
      [
        { ...held, couponId: 'late' },
        { ...held, couponId: 'soon', expiresAtMs: 2_000 },
      ],
      at,
    );
    const message = fromBinary(ListUsableCouponsResponseSchema, bytes);
    expect(toJson(ListUsableCouponsResponseSchema, message)).toEqual({
      ruleSetVersion: '5',
      coupons: [
        { couponId: 'best', promotionId: 'of-best', promotionVersion: 1, usable: { discountMinor: '900' } },
        {
          couponId: 'soon',
          promotionId: 'of-soon',
          promotionVersion: 1,
          expiresAt: '1970-01-01T00:00:02Z',
          usable: { discountMinor: '500' },
        },
        { couponId: 'late', promotionId: 'of-late', promotionVersion: 1, usable: { discountMinor: '500' } },
        {
          couponId: 'gift',
          promotionId: 'of-gift',
          promotionVersion: 1,
          usable: { discountMinor: '0', giftUnits: 2, bonusPoints: '3' },
        },
        {
          couponId: 'refused',
          promotionId: 'of-refused',
          promotionVersion: 1,
          rejection: { reason: 'REJECTION_REASON_COUPON_USED' },
        },
      ],
      evaluatedAt: '1970-01-01T00:00:01Z',
    });
  });

  test.each([
    { rest: { savesMinor: 0 }, outcome: { usable: { discountMinor: '0' } } },
    { rest: {}, outcome: { usable: {} } },
    {
      rest: { failure: { reason: 'NEEDS_LINES' } },
      outcome: { rejection: { reason: 'REJECTION_REASON_NEEDS_LINES' } },
    },
  ])('a verdict is written: $outcome', ({ rest, outcome }) => {
    const message = fromBinary(ValidateCouponResponseSchema, writeValidation(verdict('a', rest), at));
    expect(toJson(ValidateCouponResponseSchema, message)).toEqual({
      ruleSetVersion: '5',
      promotionId: 'of-a',
      promotionVersion: 1,
      evaluatedAt: '1970-01-01T00:00:01Z',
      ...outcome,
    });
  });
});
