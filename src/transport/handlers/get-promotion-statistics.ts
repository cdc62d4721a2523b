import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type DayRange,
  type PromotionTotals,
  readPromotionDays,
  readPromotionTotals,
} from '../../archive/promotion-statistics.ts';
import type { DefinitionPorts } from '../../definitions/definition-ports.ts';
import { promotionView } from '../../definitions/promotion-view.ts';
import { readPromotion } from '../../definitions/store/read-promotions.ts';
import { MS_PER_DAY } from '../../domain/durations.ts';
import { invalidRequest } from '../../domain/invalid-request.ts';
import type {
  GetPromotionStatisticsRequest,
  GetPromotionStatisticsRequestSchema,
  GetPromotionStatisticsResponseSchema,
} from '../../gen/hongbao/v1/promotion_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';

/** Days from the first to the last one of a question, at most. */
const RANGE_DAYS_MAX = 365;
/** The same when only the last one is named. */
const RANGE_DAYS_USUAL = 29;
const BASIS_POINTS = 10_000;

/** Serves GetPromotionStatistics: live figures from the ledger, what became of coupons and orders from the archive. */
export function getPromotionStatistics(
  ports: DefinitionPorts,
): UnaryHandler<typeof GetPromotionStatisticsRequestSchema, typeof GetPromotionStatisticsResponseSchema> {
  return async (request, { deadlineMs, nowMs }) => {
    const { promotionId } = request;
    const { promotion } = await readPromotion(ports.sql, promotionId, deadlineMs);
    const { ref, version, stock } = promotion;
    const range = rangeOf(request, promotion.limits?.timeZone, nowMs);
    const [live] = await ports.ledger.readStock([ref], deadlineMs);
    const taken = BigInt(live?.issued ?? 0);
    const returned = BigInt(live?.returned ?? 0);
    const issued = taken + returned;
    const [archived, totals, days] = await Promise.all([
      ports.archive.readIssued([ref], deadlineMs).catch(() => undefined),
      readPromotionTotals(ports.sql, ref, nowMs, deadlineMs),
      readPromotionDays(ports.sql, ref, range, nowMs, deadlineMs),
    ]);
    const quantity = stock?.quantity;
    return {
      promotionId,
      version,
      state: promotionView(promotion, Number(taken), nowMs).state,
      issued,
      ...(quantity !== undefined && { quantity, remaining: quantity > taken ? quantity - taken : 0n }),
      claimed: issued - BigInt(totals.issuedOtherwise),
      ...(archived && { archived: atMost(BigInt(archived.get(ref) ?? 0) + returned, issued) }),
      asOf: timestampFromMs(nowMs),
      ...figuresOf(totals, Number(issued)),
      days: days.map(({ date, ...figures }) => ({ date, ...bigints(figures) })),
    };
  };
}

/** Of two figures read one after the other the second may be moments older. */
function atMost(figure: bigint, most: bigint): bigint {
  return figure < most ? figure : most;
}

function figuresOf(totals: PromotionTotals, issued: number) {
  const { issuedOtherwise: _, ...figures } = totals;
  const { used, discountMinor, grossMinor } = figures;
  return {
    ...bigints(figures),
    usageRateBasisPoints: issued === 0 ? 0 : Math.floor((used * BASIS_POINTS) / issued),
    ...(discountMinor > 0 && {
      roiBasisPoints: (BigInt(grossMinor) * BigInt(BASIS_POINTS)) / BigInt(discountMinor),
    }),
  };
}

function bigints<Name extends string>(figures: Readonly<Record<Name, number>>): Record<Name, bigint> {
  const entries = Object.entries<number>(figures).map(([name, value]) => [name, BigInt(value)]);
  return Object.fromEntries(entries);
}

/** The days asked for. Throws INVALID_REQUEST when the zone or a date does not exist, or the days are too many. */
function rangeOf(
  request: GetPromotionStatisticsRequest,
  zoneOfLimits: string | undefined,
  nowMs: number,
): DayRange {
  const timeZone = request.timeZone || zoneOfLimits || 'UTC';
  const today = todayIn(timeZone, nowMs);
  const toDate = request.toDate || today;
  const toDay = dayNumber('to_date', toDate);
  const fromDate = request.fromDate || dateOf(toDay - RANGE_DAYS_USUAL);
  const length = toDay - dayNumber('from_date', fromDate);
  if (length < 0 || length > RANGE_DAYS_MAX)
    throw fault('to_date', `must be up to ${RANGE_DAYS_MAX} days after from_date`);
  return { fromDate, toDate, timeZone };
}

function todayIn(timeZone: string, nowMs: number): string {
  try {
    return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(nowMs);
  } catch {
    throw fault('time_zone', 'is not a known time zone');
  }
}

function dayNumber(field: string, date: string): number {
  const day = Date.parse(`${date}T00:00:00Z`) / MS_PER_DAY;
  if (!Number.isInteger(day) || dateOf(day) !== date) throw fault(field, 'is not a date');
  return day;
}

function dateOf(day: number): string {
  return new Date(day * MS_PER_DAY).toISOString().slice(0, 'YYYY-MM-DD'.length);
}

function fault(field: string, description: string) {
  return invalidRequest([{ field, description }]);
}
