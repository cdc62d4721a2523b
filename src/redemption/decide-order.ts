/** Decides what an order gets: its final cart is evaluated, with what it asked for, and all of that must apply. */
import { mayAssertFacts } from '../domain/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import { CouponState } from '../gen/hongbao/v1/coupon_service_pb.ts';
import { encodeEvaluateCartRequest, type HeldCoupon } from '../gen/hot/order-questions.ts';
import type { HolderState } from '../ledger/reads.ts';
import { couponField, type ReadCoupon } from './coupon-steps.ts';
import { requireApplied } from './not-applicable.ts';
import { factsOf, NO_QUESTION, type OrderRequest } from './order-request.ts';
import { type Decision, readDecision } from './read-decision.ts';
import type { OrderRecords } from './read-order.ts';
import type { Caller, RedemptionPorts } from './redemption-ports.ts';
import { encodeStoredDecision } from './stored-decision.ts';

/** An order, and the question about it as `questionOf` makes it. */
export interface AskedOrder {
  readonly order: OrderRequest;
  readonly question: Buffer;
}

/** The decision on an order. */
export interface OrderDecision {
  readonly question: Buffer;
  /** Facts the caller stated and may state, as a message. */
  readonly facts: Uint8Array | undefined;
  readonly atMs: number;
  readonly decision: Decision;
}

/**
 * Decides on the order for the moment `atMs`, by the ledger's clock, with the user's coupons as they were read. Throws
 * COUPON_NOT_APPLICABLE and its relatives, CART_CHANGED, INVALID_REQUEST and EVALUATION_*.
 */
export async function decideOrder(
  ports: RedemptionPorts,
  { order, question }: AskedOrder,
  records: OrderRecords,
  caller: Caller,
  atMs: number,
): Promise<OrderDecision> {
  const facts = mayAssertFacts(caller.identity) ? factsOf(order) : undefined;
  // The explanation tells all that was known, such as facts that are kept about the user: what a replay needs.
  const rest = encodeEvaluateCartRequest({ ...NO_QUESTION, facts, at: atMs, explain: true });
  const bytes = await ports.evaluate(Buffer.concat([question, rest]), caller, holderOf(order, records));
  const decision = readDecision(bytes);
  requireApplied(order, decision);
  requireExpectedPayable(order, decision);
  return { question, facts, atMs, decision };
}

/** What evaluation would read of the user: of the wallet, only the coupons that were asked for matter. */
function holderOf({ couponIds }: OrderRequest, { wallet, account }: OrderRecords): HolderState {
  const coupons = couponIds.flatMap((couponId) => {
    const field = couponField(couponId);
    const value = wallet.get(field.toString('latin1'));
    return value === undefined ? [] : [field, value];
  });
  return { wallet: Buffer.concat(coupons), account };
}

function requireExpectedPayable({ expectedPayableMinor }: OrderRequest, { totals }: Decision): void {
  const { payableMinor } = totals;
  if (expectedPayableMinor === undefined || expectedPayableMinor === payableMinor) return;
  throw new Refusal('CART_CHANGED', 'The order costs something else than was expected', {
    metadata: { needed: String(expectedPayableMinor), seen: String(payableMinor) },
  });
}

/** What is kept of a decision to make it again: the same question with the rules and the coupons it was answered by. */
export function storedDecision(decided: OrderDecision, coupons: readonly ReadCoupon[]): Buffer {
  const { question, facts, atMs, decision } = decided;
  const { ruleSetVersion, liveLimits, resolvedCodes } = decision;
  const rest = encodeEvaluateCartRequest({
    ...NO_QUESTION,
    facts: decision.facts ?? facts,
    at: atMs,
    ruleSetVersion: ruleSetVersion > 0 ? ruleSetVersion : undefined,
    heldCoupons: coupons.map(heldCoupon),
    liveLimits,
    resolvedCodes,
  });
  return encodeStoredDecision({ request: [question, rest], response: decision.kept });
}

function heldCoupon({ couponId, value }: ReadCoupon): HeldCoupon {
  return {
    couponId,
    promotionRef: value.promotionRef,
    promotionVersion: value.promotionVersion,
    state: CouponState.UNUSED,
    validFrom: value.validFromMs,
    expiresAt: value.expiresAtMs,
  };
}
