/**
 * Who may call what. A method that is not listed does not start; a kind that is not listed for a method is refused. A
 * service needs the stated scope besides; people are judged by their kind alone.
 */
import { IDENTITY_KINDS, type Identity, type IdentityKind, type Scope } from '../domain/identity.ts';

/** The rule for one method. */
export interface MethodPolicy {
  /** Kinds of people that may call it. */
  readonly people: readonly Exclude<IdentityKind, 'service'>[];
  /** The scope with which a service may call it. */
  readonly serviceScope: Scope;
}

/**
 * Marks the identity of the open door in development: it may call everything. It is not one of the scopes, so no token can
 * carry it.
 */
export const EVERYTHING = 'development:everything';

const policy = (serviceScope: Scope, ...people: MethodPolicy['people']): MethodPolicy => ({
  people,
  serviceScope,
});

const SEE_PROMOTIONS = policy('promotions:read', 'front_desk', 'marketing', 'admin', 'sre');
const CHANGE_PROMOTIONS = policy('promotions:write', 'marketing', 'admin');
const REVIEW_PROMOTIONS = policy('promotions:read', 'marketing', 'admin', 'sre');
const SEE_WHAT_IS_PUBLIC = policy('coupons:read', 'end_user', 'front_desk', 'marketing', 'admin');
const EVALUATE_CARTS = policy('carts:evaluate', 'end_user', 'front_desk', 'marketing', 'admin', 'sre');
const SEE_COUPONS = policy('coupons:read', 'end_user', 'front_desk', 'admin');
const REDEEM = policy('orders:redeem', 'front_desk', 'admin');
const SEE_POINTS = policy('points:read', 'end_user', 'front_desk', 'admin');
const GRANT_COUPONS = policy('coupons:grant', 'marketing', 'admin');
const MANAGE_CODES = policy('codes:manage', 'marketing', 'admin');
const MANAGE_WEBHOOKS = policy('webhooks:manage', 'admin', 'sre');
const RUN_JOBS = policy('jobs:run', 'admin', 'sre');
const SEE_PERSONS = policy('privacy:read', 'admin');

/** The rule for each method, by its full name. */
export const POLICIES: Readonly<Record<string, MethodPolicy>> = {
  'hongbao.v1.PromotionService.CreatePromotion': CHANGE_PROMOTIONS,
  'hongbao.v1.PromotionService.GetPromotion': SEE_PROMOTIONS,
  'hongbao.v1.PromotionService.ListPromotions': SEE_PROMOTIONS,
  'hongbao.v1.PromotionService.ListPromotionVersions': REVIEW_PROMOTIONS,
  'hongbao.v1.PromotionService.UpdatePromotion': CHANGE_PROMOTIONS,
  'hongbao.v1.PromotionService.ActivatePromotion': CHANGE_PROMOTIONS,
  'hongbao.v1.PromotionService.DeactivatePromotion': CHANGE_PROMOTIONS,
  'hongbao.v1.PromotionService.FinishPromotion': CHANGE_PROMOTIONS,
  'hongbao.v1.PromotionService.DeletePromotion': CHANGE_PROMOTIONS,
  'hongbao.v1.PromotionService.ListAuditEntries': REVIEW_PROMOTIONS,
  'hongbao.v1.PromotionService.GetPromotionStatistics': REVIEW_PROMOTIONS,
  'hongbao.v1.PromotionService.GrantCoupons': GRANT_COUPONS,
  'hongbao.v1.PromotionService.GetGrantJob': GRANT_COUPONS,
  'hongbao.v1.PromotionService.ListGrantJobs': GRANT_COUPONS,
  'hongbao.v1.PromotionService.CancelGrantJob': GRANT_COUPONS,
  'hongbao.v1.PromotionService.RevokeCoupons': GRANT_COUPONS,
  'hongbao.v1.PromotionService.GenerateCodes': MANAGE_CODES,
  'hongbao.v1.PromotionService.GetCodeJob': MANAGE_CODES,
  'hongbao.v1.PromotionService.ImportCodes': MANAGE_CODES,
  'hongbao.v1.PromotionService.ExportCodes': MANAGE_CODES,

  'hongbao.v1.CouponService.ClaimCoupon': policy('coupons:claim', 'end_user'),
  'hongbao.v1.CouponService.BatchClaimCoupons': policy('coupons:claim'),
  'hongbao.v1.CouponService.StreamClaimCoupons': policy('coupons:claim'),
  'hongbao.v1.CouponService.ClaimCode': policy('coupons:claim', 'end_user'),
  'hongbao.v1.CouponService.ListClaimablePromotions': SEE_WHAT_IS_PUBLIC,
  'hongbao.v1.CouponService.GetPublicPromotion': SEE_WHAT_IS_PUBLIC,
  'hongbao.v1.CouponService.ListCoupons': SEE_COUPONS,
  'hongbao.v1.CouponService.GetCoupon': SEE_COUPONS,
  'hongbao.v1.CouponService.GetCouponStatistics': SEE_COUPONS,
  'hongbao.v1.CouponService.ListExpiringCoupons': SEE_COUPONS,
  'hongbao.v1.CouponService.HideCoupon': policy('coupons:hide', 'end_user'),

  'hongbao.v1.CartService.EvaluateCart': EVALUATE_CARTS,
  'hongbao.v1.CartService.BatchEvaluateCarts': policy('carts:evaluate', 'marketing', 'admin', 'sre'),
  'hongbao.v1.CartService.ListUsableCoupons': policy('carts:evaluate', 'end_user', 'front_desk', 'admin'),
  'hongbao.v1.CartService.ValidateCoupon': policy('carts:evaluate', 'end_user', 'front_desk', 'admin'),

  'hongbao.v1.InsightService.ListIssuedCoupons': policy('insight:read', 'marketing', 'admin'),
  'hongbao.v1.InsightService.ListLedgerEvents': policy('insight:read', 'admin', 'sre'),

  'hongbao.v1.RedemptionService.ReserveCoupons': REDEEM,
  'hongbao.v1.RedemptionService.CommitReservation': REDEEM,
  'hongbao.v1.RedemptionService.ReleaseReservation': REDEEM,
  'hongbao.v1.RedemptionService.UseCoupons': REDEEM,
  'hongbao.v1.RedemptionService.ReturnCoupons': REDEEM,
  'hongbao.v1.RedemptionService.RefundItems': REDEEM,
  'hongbao.v1.RedemptionService.GetRedemption': policy('orders:redeem', 'end_user', 'front_desk', 'admin'),

  'hongbao.v1.PointsService.GetBalance': SEE_POINTS,
  'hongbao.v1.PointsService.ListTransactions': SEE_POINTS,
  'hongbao.v1.PointsService.ListExchangeablePromotions': SEE_POINTS,
  'hongbao.v1.PointsService.ExchangeCoupon': policy('points:exchange', 'end_user'),
  'hongbao.v1.PointsService.AwardTestPoints': policy('points:award', 'admin'),

  'hongbao.v1.EventService.IngestEvent': policy('events:write'),
  'hongbao.v1.EventService.GetEvent': policy('events:read', 'admin', 'sre'),
  'hongbao.v1.EventService.StreamEvents': policy('events:read'),
  'hongbao.v1.EventService.CreateWebhook': MANAGE_WEBHOOKS,
  'hongbao.v1.EventService.ListWebhooks': MANAGE_WEBHOOKS,
  'hongbao.v1.EventService.UpdateWebhook': MANAGE_WEBHOOKS,
  'hongbao.v1.EventService.DeleteWebhook': MANAGE_WEBHOOKS,
  'hongbao.v1.EventService.ListDeadLetters': MANAGE_WEBHOOKS,
  'hongbao.v1.EventService.RetryDeadLetter': MANAGE_WEBHOOKS,

  'hongbao.v1.JobService.ListJobs': RUN_JOBS,
  'hongbao.v1.JobService.ListJobRuns': RUN_JOBS,
  'hongbao.v1.JobService.RunJob': RUN_JOBS,

  'hongbao.v1.PrivacyService.EraseUser': policy('privacy:erase', 'admin'),
  'hongbao.v1.PrivacyService.GetUserProfile': SEE_PERSONS,
  'hongbao.v1.PrivacyService.FindUserByPhone': policy('privacy:read', 'front_desk', 'admin'),
};

/** Whether the caller may call the method; what it may see there is the handler's to decide. */
export function allows(policy: MethodPolicy, identity: Identity): boolean {
  const { kind, scopes } = identity;
  if (kind === 'service' ? scopes.has(policy.serviceScope) : policy.people.includes(kind)) return true;
  return scopes.has(EVERYTHING);
}

/** `docs/identities.md` as text; a test holds the file to it. */
export function describePolicies(): string {
  const kinds = IDENTITY_KINDS.filter((kind) => kind !== 'service');
  const header = ['Method', ...kinds.map((kind) => `\`${kind}\``), '`service` with scope'];
  const rows = Object.entries(POLICIES).map(([method, { people, serviceScope }]) => [
    `\`${method.replace('hongbao.v1.', '')}\``,
    ...kinds.map((kind) => (people.includes(kind) ? 'yes' : '')),
    `\`${serviceScope}\``,
  ]);
  const table = [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${INTRODUCTION}\n${table.join('\n')}\n`;
}

const INTRODUCTION = `# Identities

This file is generated from \`src/transport/policy.ts\`.

A call carries a token (\`authorization: Bearer …\`, a JWT) with \`sub\` (who), \`kind\` (one of the columns below) and, for a
service, \`scope\` (words separated by spaces). Who is not listed for a method gets PERMISSION_DENIED. An end user sees own data
only: another user's id reads as not found. gRPC health and reflection need no token.
`;
