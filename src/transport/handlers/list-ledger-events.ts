import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { EventFilter } from '../../archive/find-events.ts';
import { type ListedEvent, type ListPosition, listEvents } from '../../archive/list-events.ts';
import { readArchivedUntil, readPromotionIds, readPromotionRef } from '../../archive/queries.ts';
import { epochMs } from '../../domain/epoch-ms.ts';
import {
  LedgerEventKind,
  type LedgerEventRecordSchema,
  type ListLedgerEventsRequest,
  type ListLedgerEventsRequestSchema,
  type ListLedgerEventsResponseSchema,
} from '../../gen/hongbao/v1/insight_service_pb.ts';
import { EVENT_KINDS, type EventKind } from '../../ledger/event-format.ts';
import type { UnaryHandler } from '../binding.ts';
import { foreignToken } from '../page-token.ts';
import type { InsightPorts } from './list-issued-coupons.ts';
import { numbersOfPageToken, pageSizeOf, tokenAfterNumbers } from './staff-page.ts';

const KINDS: Readonly<Record<EventKind, LedgerEventKind>> = {
  opened: LedgerEventKind.OPENED,
  defined: LedgerEventKind.DEFINED,
  claimed: LedgerEventKind.CLAIMED,
  hidden: LedgerEventKind.HIDDEN,
  reserved: LedgerEventKind.RESERVED,
  committed: LedgerEventKind.COMMITTED,
  released: LedgerEventKind.RELEASED,
  lapsed: LedgerEventKind.LAPSED,
  used: LedgerEventKind.USED,
  returned: LedgerEventKind.RETURNED,
  refunded: LedgerEventKind.REFUNDED,
  granted: LedgerEventKind.GRANTED,
  code_claimed: LedgerEventKind.CODE_CLAIMED,
  exchanged: LedgerEventKind.EXCHANGED,
  event_granted: LedgerEventKind.EVENT_GRANTED,
  revoked: LedgerEventKind.REVOKED,
  points_earned: LedgerEventKind.POINTS_EARNED,
  points_reversed: LedgerEventKind.POINTS_REVERSED,
  points_expired: LedgerEventKind.POINTS_EXPIRED,
  points_awarded: LedgerEventKind.POINTS_AWARDED,
  facts_changed: LedgerEventKind.FACTS_CHANGED,
  erased: LedgerEventKind.ERASED,
  retired: LedgerEventKind.RETIRED,
  order_noted: LedgerEventKind.ORDER_NOTED,
  leased: LedgerEventKind.LEASED,
  closed: LedgerEventKind.CLOSED,
  carried: LedgerEventKind.CARRIED,
};

/** Serves ListLedgerEvents. */
export function listLedgerEvents({
  sql,
  places,
}: InsightPorts): UnaryHandler<typeof ListLedgerEventsRequestSchema, typeof ListLedgerEventsResponseSchema> {
  return async (request, { deadlineMs }) => {
    const tied = tiedQuery(request);
    const below = positionOf(numbersOfPageToken(request.pageToken, tied));
    const untilMs = await readArchivedUntil(sql, places, deadlineMs);
    const archivedUntil = untilMs === undefined ? {} : { archivedUntil: timestampFromMs(untilMs) };
    const { promotionId } = request;
    const promotionRef =
      promotionId === '' ? undefined : await readPromotionRef(sql, promotionId, deadlineMs);
    // Nothing ever happened to a promotion that never was.
    if (promotionId !== '' && promotionRef === undefined) return archivedUntil;
    const scan = { sql, places, filter: filterOf(request, promotionRef), deadlineMs };
    const page = await listEvents(scan, { below, limit: pageSizeOf(request.pageSize) });
    const refs = page.events.flatMap((event) => event.promotionRef ?? []);
    const names = await readPromotionIds(sql, refs, deadlineMs);
    return {
      events: page.events.map((event) => eventRecord(event, places.generation, names)),
      nextPageToken: tokenAfterNumbers(page.next, tied),
      ...archivedUntil,
    };
  };
}

/** Throws INVALID_REQUEST for a token that names another kind of place. */
function positionOf(numbers: readonly number[] | undefined): ListPosition | undefined {
  if (numbers === undefined) return undefined;
  const [timeMs, partition, seq, index] = numbers;
  if (timeMs === undefined || partition === undefined || seq === undefined || index === undefined)
    throw foreignToken();
  return [timeMs, partition, seq, index];
}

function tiedQuery(request: ListLedgerEventsRequest): Record<string, string | number | undefined> {
  return {
    method: 'events',
    promotionId: request.promotionId,
    userId: request.userId,
    kinds: [...request.kinds].sort().join(','),
    fromMs: epochMs(request.occurredFrom),
    untilMs: epochMs(request.occurredUntil),
  };
}

function filterOf(request: ListLedgerEventsRequest, promotionRef: number | undefined): EventFilter {
  const wanted: ReadonlySet<LedgerEventKind> = new Set(request.kinds);
  const kinds = EVENT_KINDS.filter((kind) => wanted.has(KINDS[kind]));
  return {
    promotionRef,
    userId: request.userId || undefined,
    kinds: new Set(kinds),
    fromMs: epochMs(request.occurredFrom),
    untilMs: epochMs(request.occurredUntil),
  };
}

function eventRecord(
  event: ListedEvent,
  generation: number,
  names: ReadonlyMap<number, string>,
): MessageInitShape<typeof LedgerEventRecordSchema> {
  return {
    partition: event.partition,
    generation: BigInt(generation),
    sequence: BigInt(event.seq),
    index: event.eventIndex,
    kind: KINDS[event.kind],
    occurredAt: timestampFromMs(event.timeMs),
    userId: event.userId,
    promotionId: (event.promotionRef !== undefined && names.get(event.promotionRef)) || '',
    couponId: event.couponId,
  };
}
