/** What the promotions of a sequence say: plain terms that the model goes by, and the promotions of the contract made of them. */
import { fromJson, type JsonObject, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { liveDefinition } from '../../src/definitions/live-definition.ts';
import { MS_PER_DAY } from '../../src/domain/durations.ts';
import type { LiveDefinition } from '../../src/domain/live-definition.ts';
import { type Promotion, PromotionSchema } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import type { Name } from './operations.ts';

/** How often and for how much a promotion may be used; absent = unlimited. */
export interface LimitTerms {
  readonly total?: number;
  readonly perUser?: number;
  readonly perDay?: number;
  readonly budgetMinor?: number;
  /** The last use takes what is left of the budget. */
  readonly isCut?: boolean;
}

/** One promotion. */
export interface Terms {
  readonly name: Name;
  readonly ref: number;
  readonly way: 'claimable' | 'granted' | 'exchange' | 'automatic';
  readonly offMinor: number;
  readonly bonusPoints: number;
  readonly minimumMinor: number;
  readonly perUserLimit: number;
  readonly quantity: number;
  readonly price: number;
  /** A coupon lives so many days, or to this instant. */
  readonly days?: number;
  readonly endsAtMs?: number;
  readonly limits: LimitTerms;
  readonly staysUsed: boolean;
  readonly extendDays?: number;
}

/** What differs from sequence to sequence. */
export interface Draw {
  readonly quantity: number;
  readonly perUserLimit: number;
  readonly days: number;
  readonly price: number;
  readonly endsInDays: number;
  readonly extendDays: number | undefined;
  readonly staysUsed: boolean;
  readonly couponLimits: LimitTerms;
  readonly autoLimits: LimitTerms;
  readonly budgetMinor: number;
  readonly isCut: boolean;
}

const few = (most: number) => fc.integer({ min: 1, max: most });

/** Terms small enough that a short sequence meets their bounds. */
export const draws: fc.Arbitrary<Draw> = fc.record({
  quantity: fc.integer({ min: 1, max: 5 }),
  perUserLimit: few(4),
  days: fc.constantFrom(1, 2, 30),
  price: fc.constantFrom(10, 40),
  endsInDays: fc.constantFrom(1, 3, 30),
  extendDays: fc.option(fc.constantFrom(1, 3), { nil: undefined }),
  staysUsed: fc.boolean(),
  couponLimits: fc.record({ total: few(3), perUser: fc.constantFrom(1, 1, 2) }, { requiredKeys: [] }),
  autoLimits: fc.record({ total: few(4), perUser: few(3), perDay: few(2) }, { requiredKeys: [] }),
  budgetMinor: fc.integer({ min: 300, max: 1_500 }),
  isCut: fc.boolean(),
});

const USUAL = {
  bonusPoints: 0,
  minimumMinor: 0,
  price: 0,
  limits: {},
  staysUsed: false,
  days: 30,
} as const;

/** The promotions of a sequence that begins at `startMs`; their refs follow `firstRef`. */
export function termsOf(draw: Draw, firstRef: number, startMs: number): Terms[] {
  const { quantity, perUserLimit, days, price, extendDays, staysUsed } = draw;
  const stock = { quantity, perUserLimit };
  const { days: _, ...undated } = USUAL;
  const endsAtMs = startMs + draw.endsInDays * MS_PER_DAY;
  const extend = extendDays === undefined ? {} : { extendDays };
  const made: Omit<Terms, 'ref'>[] = [
    { ...USUAL, ...stock, name: 'plain', way: 'claimable', offMinor: 500, days, limits: draw.couponLimits },
    {
      ...undated,
      ...stock,
      ...extend,
      name: 'dated',
      way: 'claimable',
      offMinor: 700,
      minimumMinor: 9_000,
      endsAtMs,
      limits: draw.couponLimits,
    },
    {
      ...USUAL,
      ...stock,
      name: 'staff',
      way: 'granted',
      offMinor: 300,
      staysUsed,
      days: 2,
      limits: draw.couponLimits,
    },
    { ...USUAL, ...stock, ...extend, name: 'points', way: 'exchange', offMinor: 200, price, days },
    { ...USUAL, ...stock, name: 'auto', way: 'automatic', offMinor: 400, limits: draw.autoLimits },
    {
      ...USUAL,
      ...stock,
      name: 'budget',
      way: 'automatic',
      offMinor: 350,
      limits: { budgetMinor: draw.budgetMinor, isCut: draw.isCut },
    },
    { ...USUAL, ...stock, name: 'bonus', way: 'automatic', offMinor: 0, bonusPoints: 7 },
  ];
  return made.map((terms, place) => ({ ...terms, ref: firstRef + place }));
}

/** The id of a promotion. */
export function promotionIdOf({ name, ref }: Pick<Terms, 'name' | 'ref'>): string {
  return `${name}-${ref}`;
}

function reachOf({ way, price }: Terms): JsonObject {
  switch (way) {
    case 'claimable':
      return { claimable: {} };
    case 'granted':
      return { granted: { staff: {} } };
    case 'exchange':
      return { pointsExchange: { pointsRequired: price } };
    case 'automatic':
      return { automatic: {} };
  }
}

function limitsOf({ total, perUser, perDay, budgetMinor, isCut = false }: LimitTerms): JsonObject {
  const shortfall = isCut ? 'BUDGET_SHORTFALL_CUT' : 'BUDGET_SHORTFALL_REFUSE';
  return {
    timeZone: 'UTC',
    ...(total !== undefined && { usesTotal: total }),
    ...(perUser !== undefined && { usesPerUser: perUser }),
    ...(perDay !== undefined && { usesPerDay: perDay }),
    ...(budgetMinor !== undefined && { budget: { amountMinor: budgetMinor, shortfall } }),
  };
}

/** The promotion as the contract has it, active. */
export function promotionOf(terms: Terms): Promotion {
  const {
    name,
    ref,
    offMinor,
    bonusPoints,
    minimumMinor: amountMinor,
    endsAtMs,
    days = 0,
    extendDays,
  } = terms;
  const endsAt = endsAtMs === undefined ? undefined : new Date(endsAtMs).toISOString();
  return fromJson(PromotionSchema, {
    promotionId: promotionIdOf(terms),
    ref,
    version: 1,
    state: 'PROMOTION_STATE_ACTIVE',
    name: { en: name, zh: name },
    currency: 'CNY',
    effect:
      offMinor > 0 ? { fixedAmountOff: { amountMinor: offMinor } } : { bonusPoints: { points: bonusPoints } },
    rules: amountMinor > 0 ? [{ minimumSpend: { amountMinor } }] : [],
    reach: reachOf(terms),
    stock: { quantity: terms.quantity, perUserLimit: terms.perUserLimit },
    validity: endsAt === undefined ? { daysAfterClaim: { days } } : { fixedDates: { endsAt } },
    limits: limitsOf(terms.limits),
    returnPolicy: {
      useOnCancel: terms.staysUsed ? 'USE_ON_CANCEL_STAYS_USED' : 'USE_ON_CANCEL_GIVEN_BACK',
      ...(extendDays !== undefined && { extendExpiredDays: extendDays }),
    },
  });
}

/** The promotion as the ledger is told of it. */
export function definitionOf(promotion: Promotion): LiveDefinition {
  return liveDefinition(promotion, toBinary(PromotionSchema, promotion));
}
