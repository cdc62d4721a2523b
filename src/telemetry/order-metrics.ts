/** Orders and what they move: coupons, refunds, points. */
import type { RefundPolicy } from '../domain/refund.ts';
import { RETURN_OUTCOMES, type ReturnOutcome } from '../domain/refund-record.ts';
import type { RefusalReason } from '../domain/refusal.ts';
import type { Declare } from './declarations.ts';
import { reasons } from './refusal-reasons.ts';

/** What was asked of the coupons of an order. */
export type RedemptionCall = 'reserve' | 'use' | 'commit' | 'release';

/** How it ended: carried out now, carried out before, or refused with a reason. */
export type RedemptionOutcome = 'done' | 'replayed' | RefusalReason;

/** How points moved: what came, what went, and what was to be taken back and had been spent. */
export type PointsMovement = 'earned' | 'awarded' | 'spent' | 'reversed' | 'owed' | 'expired';

/** How an exchange ended: bought now, bought earlier by the same request, or refused with a reason. */
export type ExchangeOutcome = 'exchanged' | 'replayed' | RefusalReason;

const POINTS_MOVEMENTS: readonly PointsMovement[] = [
  'earned',
  'awarded',
  'spent',
  'reversed',
  'owed',
  'expired',
];

/** Declares them. */
export function redemptionMetrics(declare: Declare) {
  const redemptions = declare.counters<readonly [RedemptionCall, RedemptionOutcome]>(
    'promo_redemptions_total',
    'Calls to reserve, use, commit and release what orders use, by outcome.',
    ['call', 'outcome'],
  );
  for (const call of ['reserve', 'use', 'commit', 'release'] as const)
    for (const outcome of ['done', 'replayed'] as const) redemptions.child(call, outcome);
  return {
    redemptions,
    couponsUsed: declare.counter('promo_coupons_used_total', 'Coupons that orders used for good.'),
    discounts: declare.counters<readonly [currency: string]>(
      'promo_discount_minor_total',
      'Discount of committed orders, shipping included, in minor units of the currency.',
      ['currency'],
    ),
  };
}

/** Declares them. */
export function pointsMetrics(declare: Declare) {
  const points = declare.counters<readonly [PointsMovement]>('promo_points_total', 'Points moved.', [
    'movement',
  ]);
  for (const movement of POINTS_MOVEMENTS) points.child(movement);
  const exchanges = declare.counters<readonly [ExchangeOutcome]>(
    'promo_exchanges_total',
    'Exchanges of points for coupons by outcome.',
    ['outcome'],
  );
  for (const outcome of ['exchanged', 'replayed', ...reasons()] as const) exchanges.child(outcome);
  return { points, exchanges };
}

/** Declares them. */
export function returnMetrics(declare: Declare) {
  const couponReturns = declare.counters<readonly [ReturnOutcome]>(
    'promo_coupon_returns_total',
    'Coupons of committed orders given back, by what became of them.',
    ['outcome'],
  );
  for (const outcome of RETURN_OUTCOMES) couponReturns.child(outcome);
  const refunds = declare.counters<readonly [RefundPolicy]>('promo_refunds_total', 'Refunds by policy.', [
    'policy',
  ]);
  for (const policy of ['keep', 'reevaluate', 'claw_back'] as const) refunds.child(policy);
  return { couponReturns, refunds };
}
