import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ArchivePlaces } from '../../archive/places.ts';
import {
  type ArchivedCoupon,
  type CouponFilter,
  findIssuedCoupons,
  readArchivedUntil,
} from '../../archive/queries.ts';
import type { Sql } from '../../database/client.ts';
import { decodeCouponValue, stateAt } from '../../domain/coupon.ts';
import { epochMs } from '../../domain/epoch-ms.ts';
import type {
  IssuedCouponSchema,
  ListIssuedCouponsRequest,
  ListIssuedCouponsRequestSchema,
  ListIssuedCouponsResponseSchema,
} from '../../gen/hongbao/v1/insight_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { COUPON_SOURCES, COUPON_STATES } from '../coupon-message.ts';
import { keyOfPageToken, pageTokenAfter } from '../page-token.ts';
import { pageSizeOf } from './staff-page.ts';

/** What the readers of the archive need. */
export interface InsightPorts {
  readonly sql: Sql;
  readonly places: ArchivePlaces;
}

/** Serves ListIssuedCoupons. */
export function listIssuedCoupons({
  sql,
  places,
}: InsightPorts): UnaryHandler<
  typeof ListIssuedCouponsRequestSchema,
  typeof ListIssuedCouponsResponseSchema
> {
  return async (request, { deadlineMs, nowMs }) => {
    const filter = filterOf(request);
    const tied = { method: 'issued', ...filter };
    const key = keyOfPageToken(request.pageToken, tied);
    const below = key === undefined ? undefined : Buffer.from(key, 'hex');
    const size = pageSizeOf(request.pageSize);
    const [rows, untilMs] = await Promise.all([
      findIssuedCoupons(sql, filter, { below, limit: size + 1 }, deadlineMs),
      readArchivedUntil(sql, places, deadlineMs),
    ]);
    const shown = rows.slice(0, size);
    const last = rows.length > size ? shown.at(-1) : undefined;
    return {
      coupons: shown.map((row) => issuedCoupon(row, nowMs)),
      nextPageToken: last === undefined ? '' : pageTokenAfter(last.coupon_id.toString('hex'), tied),
      ...(untilMs !== undefined && { archivedUntil: timestampFromMs(untilMs) }),
    };
  };
}

function filterOf(
  request: ListIssuedCouponsRequest,
): CouponFilter & Record<string, string | number | undefined> {
  return {
    promotionId: request.promotionId || undefined,
    userId: request.userId || undefined,
    fromMs: epochMs(request.issuedFrom),
    untilMs: epochMs(request.issuedUntil),
  };
}

function issuedCoupon(row: ArchivedCoupon, nowMs: number): MessageInitShape<typeof IssuedCouponSchema> {
  const coupon = decodeCouponValue(row.value);
  return {
    couponId: row.coupon_id.toString('hex'),
    userId: row.user_id,
    promotionId: row.promotion_id,
    promotionVersion: coupon.promotionVersion,
    state: COUPON_STATES[stateAt(coupon, nowMs)],
    source: COUPON_SOURCES[coupon.source],
    issuedAt: timestampFromMs(coupon.issuedAtMs),
    validFrom: timestampFromMs(coupon.validFromMs),
    ...(coupon.expiresAtMs !== undefined && { expiresAt: timestampFromMs(coupon.expiresAtMs) }),
    hidden: coupon.hidden,
  };
}
