/** Every method that is served, bound to its handler. A method of the contract that is missing here stops the start. */

import type { DefinitionPorts } from './definitions/definition-ports.ts';
import { CartService } from './gen/hongbao/v1/cart_service_pb.ts';
import { CouponService } from './gen/hongbao/v1/coupon_service_pb.ts';
import { InsightService } from './gen/hongbao/v1/insight_service_pb.ts';
import { PromotionService } from './gen/hongbao/v1/promotion_service_pb.ts';
import type { Ledger } from './ledger/ledger.ts';
import { type Binding, hot, stream, unary } from './transport/binding.ts';
import type { ClaimIntake } from './transport/claim-intake.ts';
import type { EvaluationIntake } from './transport/evaluation-intake.ts';
import { activatePromotion } from './transport/handlers/activate-promotion.ts';
import { batchClaimCoupons } from './transport/handlers/batch-claim-coupons.ts';
import { batchEvaluateCarts } from './transport/handlers/batch-evaluate-carts.ts';
import { claimCoupon } from './transport/handlers/claim-coupon.ts';
import { createPromotion } from './transport/handlers/create-promotion.ts';
import { deactivatePromotion } from './transport/handlers/deactivate-promotion.ts';
import { deletePromotion } from './transport/handlers/delete-promotion.ts';
import { evaluateCart } from './transport/handlers/evaluate-cart.ts';
import { finishPromotion } from './transport/handlers/finish-promotion.ts';
import { type ArchivedChange, getCoupon } from './transport/handlers/get-coupon.ts';
import { getCouponStatistics } from './transport/handlers/get-coupon-statistics.ts';
import { getPromotion } from './transport/handlers/get-promotion.ts';
import { getPromotionStatistics } from './transport/handlers/get-promotion-statistics.ts';
import { getPublicPromotion } from './transport/handlers/get-public-promotion.ts';
import { hideCoupon } from './transport/handlers/hide-coupon.ts';
import { listAuditEntries } from './transport/handlers/list-audit-entries.ts';
import { listClaimablePromotions } from './transport/handlers/list-claimable-promotions.ts';
import { listCoupons } from './transport/handlers/list-coupons.ts';
import { type InsightPorts, listIssuedCoupons } from './transport/handlers/list-issued-coupons.ts';
import { listLedgerEvents } from './transport/handlers/list-ledger-events.ts';
import { listPromotionVersions } from './transport/handlers/list-promotion-versions.ts';
import { listPromotions } from './transport/handlers/list-promotions.ts';
import { listUsableCoupons } from './transport/handlers/list-usable-coupons.ts';
import { selfChecked } from './transport/handlers/staff-write.ts';
import { streamClaimCoupons } from './transport/handlers/stream-claim-coupons.ts';
import { updatePromotion } from './transport/handlers/update-promotion.ts';
import { validateCoupon } from './transport/handlers/validate-coupon.ts';
import type { PromotionBook } from './transport/promotion-book.ts';

/** The services of the contract that are served. */
export const SERVICES = [PromotionService, CouponService, CartService, InsightService];

/** What handlers are made of. */
export interface HandlerDependencies {
  readonly ledger: Ledger;
  readonly intake: ClaimIntake;
  readonly evaluations: EvaluationIntake;
  readonly book: PromotionBook;
  readonly definitions: DefinitionPorts;
  readonly insight: InsightPorts;
  readonly couponChanges: (couponId: string, deadlineMs: number) => Promise<readonly ArchivedChange[]>;
  readonly itemDeadlineMs: number;
  readonly clock: () => number;
}

function promotionBindings({ definitions }: HandlerDependencies): Binding[] {
  const { method } = PromotionService;
  return [
    selfChecked(method.createPromotion, createPromotion(definitions)),
    unary(method.getPromotion, getPromotion(definitions)),
    unary(method.listPromotions, listPromotions(definitions)),
    unary(method.listPromotionVersions, listPromotionVersions(definitions)),
    selfChecked(method.updatePromotion, updatePromotion(definitions)),
    unary(method.activatePromotion, activatePromotion(definitions)),
    unary(method.deactivatePromotion, deactivatePromotion(definitions)),
    unary(method.finishPromotion, finishPromotion(definitions)),
    unary(method.deletePromotion, deletePromotion(definitions)),
    unary(method.listAuditEntries, listAuditEntries(definitions)),
    unary(method.getPromotionStatistics, getPromotionStatistics(definitions)),
  ];
}

function couponBindings(deps: HandlerDependencies): Binding[] {
  const { method } = CouponService;
  return [
    hot(method.claimCoupon, claimCoupon(deps.intake)),
    hot(method.batchClaimCoupons, batchClaimCoupons(deps.intake)),
    stream(method.streamClaimCoupons, streamClaimCoupons(deps.intake, deps)),
    unary(method.listClaimablePromotions, listClaimablePromotions(deps)),
    unary(method.getPublicPromotion, getPublicPromotion(deps)),
    unary(method.listCoupons, listCoupons(deps)),
    unary(method.getCoupon, getCoupon(deps)),
    unary(method.getCouponStatistics, getCouponStatistics(deps)),
    unary(method.hideCoupon, hideCoupon(deps)),
  ];
}

function cartBindings({ evaluations }: HandlerDependencies): Binding[] {
  const { method } = CartService;
  return [
    hot(method.evaluateCart, evaluateCart(evaluations)),
    hot(method.batchEvaluateCarts, batchEvaluateCarts(evaluations)),
    hot(method.listUsableCoupons, listUsableCoupons(evaluations)),
    hot(method.validateCoupon, validateCoupon(evaluations)),
  ];
}

function insightBindings({ insight }: HandlerDependencies): Binding[] {
  const { method } = InsightService;
  return [
    unary(method.listIssuedCoupons, listIssuedCoupons(insight)),
    unary(method.listLedgerEvents, listLedgerEvents(insight)),
  ];
}

/** The bindings of all services. */
export function bindings(deps: HandlerDependencies): Binding[] {
  return [
    ...promotionBindings(deps),
    ...couponBindings(deps),
    ...cartBindings(deps),
    ...insightBindings(deps),
  ];
}
