/** Orders made of decisions of the engine, and refunds of them, as the service makes them but without a store. */
import type { Decision } from '../../src/domain/decision.ts';
import type { PromotionDefinition } from '../../src/domain/promotion.ts';
import type { Redemption } from '../../src/domain/redemption.ts';
import {
  needsJudgement,
  planRefund,
  type RefundHistory,
  type RefundPlan,
  type RefundRequest,
  type Rest,
  restAfter,
} from '../../src/domain/refund.ts';
import { type GivenPromotion, judgementOf } from '../../src/domain/refund-standing.ts';
import type { EvaluationInput } from '../../src/engine/evaluation-input.ts';
import { engineEvaluate } from '../engine/engine-evaluate.ts';

/** The order a decision makes, committed. */
export function redemptionOf({ cart }: EvaluationInput, decision: Decision): Redemption {
  const { totals, applied } = decision;
  return {
    state: 'committed',
    reservationId: 'reserve-1',
    requestId: 'reserve-1',
    digest: '',
    requests: {},
    orderNumber: '',
    currency: cart.currency,
    reservedAtMs: 1,
    dueAtMs: 0,
    committedAtMs: 1,
    ...totals,
    refundedMinor: 0,
    shippingRefundedMinor: 0,
    bonusPoints: decision.bonusPoints,
    gifts: applied.flatMap(({ gifts }) => gifts),
    ruleSetVersion: decision.ruleSetVersion,
    coupons: [],
    promotions: [],
    lines: cart.lines.map(({ lineId, itemId, quantity, unitPriceMinor }, place) => ({
      lineId,
      itemId,
      quantity,
      unitPriceMinor,
      payableMinor: decision.lines[place]?.payableMinor ?? 0,
      returnedQuantity: 0,
      refundedMinor: 0,
    })),
  };
}

/** An order and the refunds of it, one after the other. */
export class RefundedOrder {
  redemption: Redemption;
  readonly plans: RefundPlan[] = [];
  private readonly evaluate: (input: EvaluationInput) => Decision;
  private readonly input: EvaluationInput;
  private readonly decision: Decision;
  private history: RefundHistory = { giftsToReturn: [], isShippingBack: false };

  constructor(
    promotions: {
      readonly current: readonly PromotionDefinition[];
      readonly older: readonly PromotionDefinition[];
    },
    input: EvaluationInput,
  ) {
    this.evaluate = (question) => engineEvaluate(promotions.current, promotions.older, question);
    this.decision = this.evaluate(input);
    this.input = { ...input, selection: usedOf(this.decision) };
    this.redemption = redemptionOf(input, this.decision);
  }

  /** Refunds; throws what a refund is refused with. */
  refund(request: RefundRequest): RefundPlan {
    const rest = restAfter(this.redemption, request, this.history);
    const judgement =
      needsJudgement(request, rest) && request.policy !== 'keep'
        ? judgementOf(request.policy, this.given(), this.restDecision(rest))
        : undefined;
    const plan = planRefund(this.redemption, request, rest, this.history, judgement);
    this.redemption = { ...this.redemption, ...plan.after };
    this.history = {
      giftsToReturn: [...this.history.giftsToReturn, ...plan.giftsToReturn],
      isShippingBack: this.history.isShippingBack || request.shipping,
    };
    this.plans.push(plan);
    return plan;
  }

  private given(): GivenPromotion[] {
    const { lines } = this.input.cart;
    return this.decision.applied.map((applied) => ({
      ...applied,
      shares: applied.shares.map(({ lineIndex, amountMinor }) => ({
        lineId: lines[lineIndex]?.lineId ?? '',
        amountMinor,
      })),
    }));
  }

  private restDecision({ units, isShippingKept }: Rest) {
    const { cart } = this.input;
    const lines = cart.lines.flatMap((line) => {
      const quantity = units.get(line.lineId);
      return quantity === undefined ? [] : [{ ...line, quantity }];
    });
    const shippingMinor = isShippingKept ? cart.shippingMinor : 0;
    const decision = this.evaluate({ ...this.input, cart: { ...cart, lines, shippingMinor } });
    return { ...decision, payableMinor: decision.totals.payableMinor };
  }
}

/** The coupons and codes of the order, which are those a decision about its rest may use. */
function usedOf({ applied }: Decision): EvaluationInput['selection'] {
  return {
    kind: 'own',
    couponIds: applied.flatMap(({ source }) => (source.kind === 'coupon' ? [source.couponId] : [])),
    codes: applied.flatMap(({ source }) => (source.kind === 'code' ? [source.code] : [])),
  };
}
