import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RefundPlan, RefundPolicy, RefundRequest } from '../../src/domain/refund.ts';
import { MIXED, type Situation, situations } from '../engine/random-carts.ts';
import { RefundedOrder } from './refund-order.ts';

const RUNS = { numRuns: 500 };
const ALL: readonly RefundPolicy[] = ['keep', 'reevaluate', 'claw_back'];

/** Numbers that say what goes back when, whatever the order turns out to be; the tail of a split is everything left. */
const splits = (policies: readonly RefundPolicy[]) =>
  fc.array(
    fc.record({
      parts: fc.array(fc.nat({ max: 3 }), { minLength: 6, maxLength: 6 }),
      shipping: fc.boolean(),
      policy: fc.constantFrom(...policies),
    }),
    { minLength: 1, maxLength: 5 },
  );

type Split = ReturnType<typeof splits> extends fc.Arbitrary<infer Value> ? Value : never;

function orderOf({ current, older, input }: Situation): RefundedOrder {
  return new RefundedOrder({ current, older }, input);
}

/** The request of one step of a split: at most what is left of each line; all of it at the end. */
function requestOf(order: RefundedOrder, step: Split[number], isLast: boolean): RefundRequest | undefined {
  const lines = order.redemption.lines.flatMap(({ lineId, quantity, returnedQuantity }, at) => {
    const left = quantity - returnedQuantity;
    const units = isLast ? left : Math.min(left, step.parts[at % step.parts.length] ?? 0);
    return units === 0 ? [] : [{ lineId, quantity: units }];
  });
  if (lines.length > 0) return { lines, shipping: isLast || step.shipping, policy: step.policy };
  const { shippingMinor, shippingDiscountMinor, shippingRefundedMinor } = order.redemption;
  const isPaid = shippingMinor - shippingDiscountMinor > shippingRefundedMinor;
  return isPaid && (isLast || step.shipping) ? { lines, shipping: true, policy: step.policy } : undefined;
}

function refundAll(order: RefundedOrder, split: Split): readonly RefundPlan[] {
  for (const [at, step] of split.entries()) {
    const request = requestOf(order, step, at === split.length - 1);
    if (request !== undefined) order.refund(request);
  }
  return order.plans;
}

function sumOf(plans: readonly RefundPlan[], amountOf: (plan: RefundPlan) => number): number {
  return plans.reduce((sum, plan) => sum + amountOf(plan), 0);
}

const grossOf = ({ lines, shippingMinor }: RefundPlan): number =>
  lines.reduce((sum, { refundMinor }) => sum + refundMinor, shippingMinor);

// SPEC L4, SPEC R14: whatever is split, and whichever policies are mixed.
describe('refunds of everything', () => {
  it('sum to what was paid, never exceed it on the way, and keep nothing back in the end', () => {
    fc.assert(
      fc.property(situations(MIXED), splits(ALL), (situation, split) => {
        const order = orderOf(situation);
        const paid = order.redemption.payableMinor;
        let total = 0;
        for (const plan of refundAll(order, split)) {
          expect(plan.refundMinor).toBeGreaterThanOrEqual(0);
          expect(plan.refundMinor).toBe(grossOf(plan) - plan.clawBackMinor);
          total += plan.refundMinor;
          expect(plan.refundedTotalMinor).toBe(total);
          expect(plan.remainingPayableMinor).toBe(paid - total);
          expect(plan.remainingPayableMinor).toBeGreaterThanOrEqual(0);
        }
        expect(total).toBe(paid);
        expect(sumOf(order.plans, grossOf)).toBe(paid);
        expect(sumOf(order.plans, ({ clawBackMinor }) => clawBackMinor)).toBe(0);
        for (const line of order.redemption.lines) expect(line.refundedMinor).toBe(line.payableMinor);
      }),
      RUNS,
    );
  });

  it('ask every gift back exactly once', () => {
    fc.assert(
      fc.property(situations(MIXED), splits(ALL), (situation, split) => {
        const order = orderOf(situation);
        fc.pre(order.redemption.lines.length > 0);
        const asked = refundAll(order, split).flatMap(({ giftsToReturn }) => giftsToReturn);
        expect(countByItem(asked)).toEqual(countByItem(order.redemption.gifts));
      }),
      RUNS,
    );
  });

  it('that keep discounts give each unit back for what was paid for it', () => {
    fc.assert(
      fc.property(situations(MIXED), splits(['keep']), (situation, split) => {
        for (const plan of refundAll(orderOf(situation), split)) {
          expect(plan.clawBackMinor).toBe(0);
          expect(plan.refundMinor).toBe(grossOf(plan));
        }
      }),
      RUNS,
    );
  });
});

// SPEC L4
it('a policy that takes lost discounts back never refunds more than one that keeps them, in the first refund', () => {
  fc.assert(
    fc.property(situations(MIXED), splits(['claw_back']), (situation, split) => {
      const [first] = split;
      if (first === undefined) return;
      const order = orderOf(situation);
      const request = requestOf(order, first, false);
      fc.pre(request !== undefined);
      const kept = orderOf(situation).refund({ ...request, policy: 'keep' });
      expect(order.refund(request).refundMinor).toBeLessThanOrEqual(kept.refundMinor);
    }),
    RUNS,
  );
});

function countByItem(gifts: readonly { itemId: string; quantity: number }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { itemId, quantity } of gifts) counts.set(itemId, (counts.get(itemId) ?? 0) + quantity);
  return counts;
}
