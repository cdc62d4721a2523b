// SPEC R14: the published vectors of refunds hold.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import type { Redemption } from './redemption.ts';
import {
  planRefund,
  type RefundHistory,
  type RefundPlan,
  type RefundRequest,
  type RestJudgement,
  restAfter,
} from './refund.ts';

const whole = z.int().nonnegative();
const byLine = z.record(z.string(), whole);

const refund = z.strictObject({
  back: byLine.default({}),
  shipping: z.boolean().default(false),
  policy: z.enum(['keep', 'reevaluate', 'claw_back']).default('keep'),
  rest_payable_minor: whole.optional(),
  lost: z.array(z.strictObject({ lines: byLine.default({}), shipping_minor: whole.default(0) })).optional(),
  gives: z.strictObject({
    lines: byLine.default({}),
    shipping_minor: whole.default(0),
    refund_minor: whole,
    claw_back_minor: z.int().default(0),
    remaining_minor: whole,
  }),
});

const vector = z.strictObject({
  id: z.string(),
  about: z.string(),
  order: z.strictObject({
    shipping_payable_minor: whole.default(0),
    lines: z.array(z.strictObject({ line_id: z.string(), quantity: whole, payable_minor: whole })),
  }),
  refunds: z.array(refund).min(1),
});

type Vector = z.output<typeof vector>;
type Step = z.output<typeof refund>;

const { vectors: all } = z
  .object({ vectors: z.array(z.looseObject({ id: z.string() })) })
  .parse(parse(readFileSync(new URL('../../docs/money-vectors.yaml', import.meta.url), 'utf8')));
const vectors = all.filter((each) => 'refunds' in each).map((each) => vector.parse(each));

function redemptionOf({ order }: Vector): Redemption {
  const shippingMinor = order.shipping_payable_minor;
  const itemsMinor = order.lines.reduce((sum, line) => sum + line.payable_minor, 0);
  return {
    state: 'committed',
    reservationId: 'r',
    requestId: 'r',
    digest: '',
    requests: {},
    orderNumber: '',
    currency: 'CNY',
    reservedAtMs: 1,
    dueAtMs: 0,
    committedAtMs: 1,
    itemsMinor,
    shippingMinor,
    itemsDiscountMinor: 0,
    shippingDiscountMinor: 0,
    payableMinor: itemsMinor + shippingMinor,
    refundedMinor: 0,
    shippingRefundedMinor: 0,
    bonusPoints: 0,
    gifts: [],
    ruleSetVersion: 1,
    coupons: [],
    promotions: [],
    lines: order.lines.map((line) => ({
      lineId: line.line_id,
      itemId: line.line_id,
      quantity: line.quantity,
      unitPriceMinor: 0,
      payableMinor: line.payable_minor,
      returnedQuantity: 0,
      refundedMinor: 0,
    })),
  };
}

function judgementOf({ policy, rest_payable_minor, lost }: Step): RestJudgement | undefined {
  if (policy === 'reevaluate' && rest_payable_minor !== undefined)
    return { kind: 'reevaluated', payableMinor: rest_payable_minor, gifts: [] };
  if (policy !== 'claw_back' || lost === undefined) return undefined;
  const discounts = lost.map(({ lines, shipping_minor }) => ({
    shares: Object.entries(lines).map(([lineId, amountMinor]) => ({ lineId, amountMinor })),
    shippingDiscountMinor: shipping_minor,
  }));
  return { kind: 'judged', lost: discounts, gifts: [] };
}

function inWords(plan: RefundPlan): Step['gives'] {
  return {
    lines: Object.fromEntries(plan.lines.map(({ lineId, refundMinor }) => [lineId, refundMinor])),
    shipping_minor: plan.shippingMinor,
    refund_minor: plan.refundMinor,
    claw_back_minor: plan.clawBackMinor,
    remaining_minor: plan.remainingPayableMinor,
  };
}

it.each(vectors.map((each) => [each.id, each] as const))('%s', (_, each) => {
  let redemption = redemptionOf(each);
  let history: RefundHistory = { giftsToReturn: [], isShippingBack: false };
  for (const step of each.refunds) {
    const lines = Object.entries(step.back).map(([lineId, quantity]) => ({ lineId, quantity }));
    const request: RefundRequest = { lines, shipping: step.shipping, policy: step.policy };
    const rest = restAfter(redemption, request, history);
    const plan = planRefund(redemption, request, rest, history, judgementOf(step));
    expect(inWords(plan)).toEqual(step.gives);
    redemption = { ...redemption, ...plan.after };
    history = { ...history, isShippingBack: history.isShippingBack || step.shipping };
  }
});

it('there are vectors of every policy', () => {
  const policies = new Set(vectors.flatMap(({ refunds }) => refunds.map(({ policy }) => policy)));
  expect([...policies].sort()).toEqual(['claw_back', 'keep', 'reevaluate']);
  expect(vectors.length).toBeGreaterThanOrEqual(15);
});
