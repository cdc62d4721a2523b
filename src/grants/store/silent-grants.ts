import { plainArray, textArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';
import { couponFieldHex } from '../../ledger/coupon-field.ts';

/** A coupon's id ends with its wallet field. */
const FIELD_HEX_LENGTH = 32;

/** A coupon, and whose it is. */
interface OwnedCoupon {
  readonly userId: string;
  readonly couponId: string;
  readonly promotionRef: number;
}

/**
 * The ids of those coupons that staff granted without a message. A coupon is known by its job from the moment it is issued,
 * since user and job name it; what the job has written down about it comes later. Throws ARCHIVE_UNAVAILABLE or
 * DEADLINE_EXCEEDED.
 */
export async function silentGrants(
  sql: Sql,
  coupons: readonly OwnedCoupon[],
  deadlineMs: number,
): Promise<ReadonlySet<string>> {
  if (coupons.length === 0) return new Set();
  const users = new Set(coupons.map(({ userId }) => userId));
  const refs = new Set(coupons.map(({ promotionRef }) => promotionRef));
  const rows = sql<{ user_id: string; job_id: string }[]>`
    SELECT DISTINCT recipient.user_id, job.job_id
    FROM grant_recipient AS recipient JOIN grant_job AS job ON job.number = recipient.job
    WHERE recipient.user_id = ANY(${textArray([...users])}::text[]) AND job.kind = 'grant' AND NOT job.notify
      AND job.promotion_ref = ANY(${plainArray([...refs])}::integer[])`;
  const found = await withDeadline(rows, deadlineMs);
  const fields = new Set(found.map(({ user_id, job_id }) => couponFieldHex('grant', user_id, job_id)));
  const silent = coupons.filter(({ couponId }) => fields.has(couponId.slice(-FIELD_HEX_LENGTH)));
  return new Set(silent.map(({ couponId }) => couponId));
}
