import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { minorDigits } from '../../src/domain/money.ts';
import type { RefundPlan } from '../../src/domain/refund.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import { type RefundStep, readRefundCase } from './refund-case-format.ts';
import { RefundedOrder } from './refund-order.ts';

const CASES = join(import.meta.dirname, 'cases');
const cases = readdirSync(CASES)
  .filter((file) => file.endsWith('.yaml'))
  .sort()
  .map((file) => ({ file, ...readRefundCase(parse(readFileSync(join(CASES, file), 'utf8'))) }));

/** The answer in the words of a case. */
function inCaseWords(plan: RefundPlan): RefundStep['expected'] {
  return {
    refund: plan.refundMinor,
    lines: Object.fromEntries(plan.lines.map(({ lineId, refundMinor }) => [lineId, refundMinor])),
    shippingRefund: plan.shippingMinor,
    clawBack: plan.clawBackMinor,
    gifts: plan.giftsToReturn.map(({ itemId, quantity }): [string, number] => [itemId, quantity]),
    remaining: plan.remainingPayableMinor,
  };
}

function answerTo(order: RefundedOrder, { request }: RefundStep): RefundStep['expected'] {
  try {
    return inCaseWords(order.refund(request));
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.reason };
    throw error;
  }
}

// SPEC L4, SPEC R14: each case names the row it proves.
describe('golden refunds', () => {
  it.each(cases)('$file', ({ order, paid, steps }) => {
    const refunded = new RefundedOrder(order, order.input);
    expect(refunded.redemption.payableMinor).toBe(paid);
    for (const step of steps) expect(answerTo(refunded, step)).toMatchObject(step.expected);
    const total = refunded.plans.reduce((sum, { refundMinor }) => sum + refundMinor, 0);
    expect(refunded.redemption.refundedMinor).toBe(total);
    expect(total).toBeLessThanOrEqual(paid);
  });

  it('cover a good number, every policy, and currencies of 0, 2 and 3 digits', () => {
    expect(cases.length).toBeGreaterThanOrEqual(25);
    const policies = new Set(cases.flatMap(({ steps }) => steps.map(({ request }) => request.policy)));
    expect([...policies].sort()).toEqual(['claw_back', 'keep', 'reevaluate']);
    const digits = new Set(cases.map(({ order }) => minorDigits(order.input.cart.currency)));
    expect([...digits].sort()).toEqual([0, 2, 3]);
  });
});
