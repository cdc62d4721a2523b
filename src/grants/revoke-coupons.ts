import type { StaffCall } from '../codes/generate-codes.ts';
import { readPromotion } from '../definitions/store/read-promotions.ts';
import type { WriteIdentity } from '../definitions/store/request-records.ts';
import { parseCouponId } from '../domain/coupon.ts';
import { carryOutNow, requireJob } from './grant-coupons.ts';
import { grantJobId, requireSameContent } from './grant-job-id.ts';
import { type GrantJobRow, insertGrantJob, type NewGrantJob, readGrantJob } from './store/grant-jobs.ts';
import { type ResultRow, readResults } from './store/recipients.ts';
import type { WorkPorts } from './work-recipients.ts';

/** A coupon with its owner. */
export interface CouponOfUser {
  readonly userId: string;
  readonly couponId: string;
}

/** What is taken back: some coupons, or all unused ones of a promotion. */
export type RevokedCoupons =
  | { readonly kind: 'list'; readonly coupons: readonly CouponOfUser[] }
  | { readonly kind: 'promotion'; readonly promotionId: string };

/** A revoke as staff ask for it. */
export interface RevokeCouponsRequest {
  readonly identity: WriteIdentity;
  readonly reason: string;
  readonly returnStock: boolean;
  readonly coupons: RevokedCoupons;
}

/** What was done, or the job that does it. */
export type RevokeAnswer =
  | { readonly kind: 'done'; readonly results: readonly ResultRow[] }
  | { readonly kind: 'job'; readonly job: GrantJobRow };

/**
 * Takes coupons back: those of a list at once, with a result for each in their order; all of a promotion by the job
 * `run-grants`. The same request answers the same. Throws PROMOTION_NOT_FOUND, REQUEST_ID_REUSED, ARCHIVE_UNAVAILABLE or
 * LEDGER_*: it is then written down and will be carried out.
 */
export async function revokeCoupons(
  ports: WorkPorts,
  request: RevokeCouponsRequest,
  call: StaffCall,
): Promise<RevokeAnswer> {
  const { identity, coupons } = request;
  const jobId = grantJobId(identity);
  const { deadlineMs } = call;
  const job =
    (await readGrantJob(ports.sql, jobId, deadlineMs)) ?? (await writeDown(ports, jobId, request, call));
  requireSameContent(job, identity);
  if (coupons.kind === 'promotion') return { kind: 'job', job };
  const done = await carryOutNow(ports, job, deadlineMs);
  const page = { after: 0, limit: Number(done.total) };
  return { kind: 'done', results: await readResults(ports.sql, done.number, page, deadlineMs) };
}

async function writeDown(
  ports: WorkPorts,
  jobId: string,
  request: RevokeCouponsRequest,
  call: StaffCall,
): Promise<GrantJobRow> {
  const { identity, reason, returnStock } = request;
  const job = {
    ...(await subjectOf(ports, request.coupons, call.deadlineMs)),
    jobId,
    kind: 'revoke' as const,
    contentDigest: identity.contentDigest,
    requestId: identity.requestId,
    reason,
    notify: false,
    returnStock,
    actor: call.actor,
    nowMs: call.nowMs,
    startAtMs: undefined,
    segment: undefined,
  };
  await insertGrantJob(ports.sql, job, call.deadlineMs);
  return await requireJob(ports, jobId, call.deadlineMs);
}

/** Whose coupons, and of which promotions as far as the ledger knows, for the audit log. */
async function subjectOf(
  ports: WorkPorts,
  coupons: RevokedCoupons,
  deadlineMs: number,
): Promise<Pick<NewGrantJob, 'promotionRef' | 'recipients' | 'refs'>> {
  if (coupons.kind === 'promotion') {
    const { promotion } = await readPromotion(ports.sql, coupons.promotionId, deadlineMs);
    return { promotionRef: promotion.ref, recipients: undefined, refs: [promotion.ref] };
  }
  const found = await Promise.all(
    coupons.coupons.map(({ userId, couponId }) =>
      ports.ledger.read(deadlineMs, (reads) => reads.coupon(userId, parseCouponId(couponId)?.fieldHex ?? '')),
    ),
  );
  const refs = new Set(found.flatMap((coupon) => (coupon === undefined ? [] : [coupon.promotionRef])));
  return { promotionRef: undefined, recipients: coupons.coupons, refs: [...refs] };
}
