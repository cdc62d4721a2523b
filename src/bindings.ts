/** Every method that is served, bound to its handler. A method of the contract that is missing here stops the start. */

import type { Codes } from './codes/codes.ts';
import type { DefinitionPorts } from './definitions/definition-ports.ts';
import type { EventPorts } from './events/event-ports.ts';
import { CartService } from './gen/hongbao/v1/cart_service_pb.ts';
import { CouponService } from './gen/hongbao/v1/coupon_service_pb.ts';
import { EventService } from './gen/hongbao/v1/event_service_pb.ts';
import { InsightService } from './gen/hongbao/v1/insight_service_pb.ts';
import { JobService } from './gen/hongbao/v1/job_service_pb.ts';
import { PointsService } from './gen/hongbao/v1/points_service_pb.ts';
import { PrivacyService } from './gen/hongbao/v1/privacy_service_pb.ts';
import { PromotionService } from './gen/hongbao/v1/promotion_service_pb.ts';
import { RedemptionService } from './gen/hongbao/v1/redemption_service_pb.ts';
import type { ArchivedCoupons } from './ledger/archived-coupons.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Outbound } from './outbound.ts';
import type { Points } from './points/points.ts';
import type { PointsHistory } from './points/points-history.ts';
import type { ErasurePorts } from './privacy/erasures.ts';
import type { Redemptions } from './redemption/redemptions.ts';
import type { RefundPorts } from './redemption/refund-items.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { type Binding, generated, hot, stream, unary } from './transport/binding.ts';
import type { ClaimIntake } from './transport/claim-intake.ts';
import type { EvaluationIntake } from './transport/evaluation-intake.ts';
import { activatePromotion } from './transport/handlers/activate-promotion.ts';
import { awardTestPoints } from './transport/handlers/award-test-points.ts';
import { batchClaimCoupons } from './transport/handlers/batch-claim-coupons.ts';
import { batchEvaluateCarts } from './transport/handlers/batch-evaluate-carts.ts';
import { cancelGrantJob } from './transport/handlers/cancel-grant-job.ts';
import { claimCode } from './transport/handlers/claim-code.ts';
import { claimCoupon } from './transport/handlers/claim-coupon.ts';
import { commitReservation } from './transport/handlers/commit-reservation.ts';
import { createPromotion } from './transport/handlers/create-promotion.ts';
import { createWebhook } from './transport/handlers/create-webhook.ts';
import { deactivatePromotion } from './transport/handlers/deactivate-promotion.ts';
import { deletePromotion } from './transport/handlers/delete-promotion.ts';
import { deleteWebhook } from './transport/handlers/delete-webhook.ts';
import { eraseUser } from './transport/handlers/erase-user.ts';
import { evaluateCart } from './transport/handlers/evaluate-cart.ts';
import { type ExchangePorts, exchangeCoupon } from './transport/handlers/exchange-coupon.ts';
import { exportCodes } from './transport/handlers/export-codes.ts';
import { findUserByPhone } from './transport/handlers/find-user-by-phone.ts';
import { finishPromotion } from './transport/handlers/finish-promotion.ts';
import { generateCodes } from './transport/handlers/generate-codes.ts';
import { getBalance } from './transport/handlers/get-balance.ts';
import { getCodeJob } from './transport/handlers/get-code-job.ts';
import { getCoupon, type ReadCouponChanges } from './transport/handlers/get-coupon.ts';
import { getCouponStatistics } from './transport/handlers/get-coupon-statistics.ts';
import { getEvent } from './transport/handlers/get-event.ts';
import { getGrantJob } from './transport/handlers/get-grant-job.ts';
import { getPromotion } from './transport/handlers/get-promotion.ts';
import { getPromotionStatistics } from './transport/handlers/get-promotion-statistics.ts';
import { getPublicPromotion } from './transport/handlers/get-public-promotion.ts';
import { getRedemption } from './transport/handlers/get-redemption.ts';
import { getUserProfile } from './transport/handlers/get-user-profile.ts';
import { grantCoupons } from './transport/handlers/grant-coupons.ts';
import { hideCoupon } from './transport/handlers/hide-coupon.ts';
import { importCodes } from './transport/handlers/import-codes.ts';
import { ingestEvent } from './transport/handlers/ingest-event.ts';
import { listAuditEntries } from './transport/handlers/list-audit-entries.ts';
import { listClaimablePromotions } from './transport/handlers/list-claimable-promotions.ts';
import { listCoupons } from './transport/handlers/list-coupons.ts';
import { listDeadLetters } from './transport/handlers/list-dead-letters.ts';
import { listExchangeablePromotions } from './transport/handlers/list-exchangeable-promotions.ts';
import { listExpiringCoupons } from './transport/handlers/list-expiring-coupons.ts';
import { listGrantJobs } from './transport/handlers/list-grant-jobs.ts';
import { type InsightPorts, listIssuedCoupons } from './transport/handlers/list-issued-coupons.ts';
import { listJobRuns } from './transport/handlers/list-job-runs.ts';
import { listJobs } from './transport/handlers/list-jobs.ts';
import { listLedgerEvents } from './transport/handlers/list-ledger-events.ts';
import { listPromotionVersions } from './transport/handlers/list-promotion-versions.ts';
import { listPromotions } from './transport/handlers/list-promotions.ts';
import { listTransactions } from './transport/handlers/list-transactions.ts';
import { listUsableCoupons } from './transport/handlers/list-usable-coupons.ts';
import { listWebhooks } from './transport/handlers/list-webhooks.ts';
import { refundItems } from './transport/handlers/refund-items.ts';
import { releaseReservation } from './transport/handlers/release-reservation.ts';
import { reserveCoupons } from './transport/handlers/reserve-coupons.ts';
import { retryDeadLetter } from './transport/handlers/retry-dead-letter.ts';
import { returnCoupons } from './transport/handlers/return-coupons.ts';
import { revokeCoupons } from './transport/handlers/revoke-coupons.ts';
import { runJob } from './transport/handlers/run-job.ts';
import { selfChecked } from './transport/handlers/staff-write.ts';
import { streamClaimCoupons } from './transport/handlers/stream-claim-coupons.ts';
import { streamEvents } from './transport/handlers/stream-events.ts';
import { updatePromotion } from './transport/handlers/update-promotion.ts';
import { updateWebhook } from './transport/handlers/update-webhook.ts';
import { useCoupons } from './transport/handlers/use-coupons.ts';
import { validateCoupon } from './transport/handlers/validate-coupon.ts';
import type { PromotionBook } from './transport/promotion-book.ts';
import { PromotionSummaries } from './transport/promotion-summaries.ts';
import {
  commitReservationCodec,
  releaseReservationCodec,
  reserveCouponsCodec,
  useCouponsCodec,
} from './transport/redemption-codecs.ts';
import type { WholeWalletPorts } from './transport/whole-wallet.ts';

/** What handlers are made of. */
export interface HandlerDependencies {
  readonly ledger: Ledger;
  readonly archived: ArchivedCoupons;
  readonly intake: ClaimIntake;
  readonly evaluations: EvaluationIntake;
  readonly book: PromotionBook;
  readonly definitions: DefinitionPorts;
  readonly codes: Codes;
  readonly codeClaims: Metrics['codeClaims'];
  readonly insight: InsightPorts;
  readonly redemptions: Redemptions;
  readonly returns: RefundPorts;
  readonly points: Points;
  readonly pointsHistory: PointsHistory;
  readonly events: EventPorts;
  readonly outbound: Outbound;
  readonly erasures: ErasurePorts;
  readonly findRef: ExchangePorts['findRef'];
  readonly isDevelopment: boolean;
  readonly couponChanges: ReadCouponChanges;
  readonly wallets: WholeWalletPorts;
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

function grantBindings({ definitions: { sql }, ledger, clock }: HandlerDependencies): Binding[] {
  const { method } = PromotionService;
  const ports = { sql, ledger, nowMs: clock };
  return [
    unary(method.grantCoupons, grantCoupons(ports)),
    unary(method.getGrantJob, getGrantJob(ports)),
    unary(method.listGrantJobs, listGrantJobs(ports)),
    unary(method.cancelGrantJob, cancelGrantJob(ports)),
    unary(method.revokeCoupons, revokeCoupons(ports)),
  ];
}

function codeBindings(deps: HandlerDependencies): Binding[] {
  const { codes, clock } = deps;
  const { sql } = deps.definitions;
  const ports = { ...codes, sql, nowMs: clock };
  const { method } = PromotionService;
  return [
    unary(method.generateCodes, generateCodes(ports)),
    unary(method.getCodeJob, getCodeJob(ports)),
    unary(method.importCodes, importCodes(ports)),
    stream(method.exportCodes, exportCodes(ports)),
    unary(CouponService.method.claimCode, claimCode(deps)),
  ];
}

function couponBindings(deps: HandlerDependencies): Binding[] {
  const { method } = CouponService;
  const { wallets, clock: nowMs } = deps;
  const summaries = new PromotionSummaries(deps.book);
  const lists = { ...deps, summaries };
  return [
    hot(method.claimCoupon, claimCoupon(deps.intake)),
    hot(method.batchClaimCoupons, batchClaimCoupons(deps.intake)),
    stream(method.streamClaimCoupons, streamClaimCoupons(deps.intake, deps)),
    unary(method.listClaimablePromotions, listClaimablePromotions(deps)),
    unary(method.getPublicPromotion, getPublicPromotion(deps)),
    hot(method.listCoupons, listCoupons({ wallets, summaries, nowMs })),
    unary(method.listExpiringCoupons, listExpiringCoupons(lists)),
    unary(method.getCoupon, getCoupon(lists)),
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

function pointsBindings(deps: HandlerDependencies): Binding[] {
  const { method } = PointsService;
  return [
    unary(method.getBalance, getBalance(deps)),
    unary(method.listTransactions, listTransactions(deps)),
    unary(method.listExchangeablePromotions, listExchangeablePromotions(deps)),
    unary(method.exchangeCoupon, exchangeCoupon(deps)),
    unary(method.awardTestPoints, awardTestPoints(deps)),
  ];
}

function redemptionBindings(deps: HandlerDependencies): Binding[] {
  const { method } = RedemptionService;
  return [
    generated(method.reserveCoupons, reserveCouponsCodec, reserveCoupons(deps)),
    generated(method.commitReservation, commitReservationCodec, commitReservation(deps)),
    generated(method.releaseReservation, releaseReservationCodec, releaseReservation(deps)),
    generated(method.useCoupons, useCouponsCodec, useCoupons(deps)),
    unary(method.returnCoupons, returnCoupons(deps)),
    unary(method.refundItems, refundItems(deps)),
    unary(method.getRedemption, getRedemption(deps)),
  ];
}

function eventBindings({ events, outbound }: HandlerDependencies): Binding[] {
  const { method } = EventService;
  return [
    unary(method.ingestEvent, ingestEvent(events)),
    unary(method.getEvent, getEvent(events)),
    stream(method.streamEvents, streamEvents(outbound)),
    unary(method.createWebhook, createWebhook(outbound)),
    unary(method.listWebhooks, listWebhooks(outbound)),
    unary(method.updateWebhook, updateWebhook(outbound)),
    unary(method.deleteWebhook, deleteWebhook(outbound)),
    unary(method.listDeadLetters, listDeadLetters(outbound)),
    unary(method.retryDeadLetter, retryDeadLetter(outbound)),
  ];
}

function jobBindings({ definitions }: HandlerDependencies): Binding[] {
  const { method } = JobService;
  return [
    unary(method.listJobs, listJobs(definitions)),
    unary(method.listJobRuns, listJobRuns(definitions)),
    unary(method.runJob, runJob(definitions)),
  ];
}

function privacyBindings(deps: HandlerDependencies): Binding[] {
  const { method } = PrivacyService;
  const { profiles } = deps.outbound;
  return [
    unary(method.eraseUser, eraseUser(deps)),
    unary(method.getUserProfile, getUserProfile({ ledger: deps.ledger, profiles })),
    unary(method.findUserByPhone, findUserByPhone({ profiles })),
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
    ...grantBindings(deps),
    ...codeBindings(deps),
    ...couponBindings(deps),
    ...cartBindings(deps),
    ...insightBindings(deps),
    ...pointsBindings(deps),
    ...redemptionBindings(deps),
    ...eventBindings(deps),
    ...jobBindings(deps),
    ...privacyBindings(deps),
  ];
}
