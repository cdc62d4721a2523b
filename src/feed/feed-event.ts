/** Events of the feed as messages of the contract. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { FeedEventKind, type FeedEventSchema } from '../gen/hongbao/v1/event_service_pb.ts';
import { encodeCursor } from './cursor.ts';
import type { FeedItem } from './feed.ts';
import type { HappeningKind } from './happening.ts';

const KINDS: Readonly<Record<HappeningKind, FeedEventKind>> = {
  claimed: FeedEventKind.CLAIMED,
  issued: FeedEventKind.ISSUED,
  reserved: FeedEventKind.RESERVED,
  used: FeedEventKind.USED,
  released: FeedEventKind.RELEASED,
  returned: FeedEventKind.RETURNED,
  revoked: FeedEventKind.REVOKED,
  expiring: FeedEventKind.EXPIRING,
  expired: FeedEventKind.EXPIRED,
  points_earned: FeedEventKind.POINTS_EARNED,
  points_spent: FeedEventKind.POINTS_SPENT,
  points_reversed: FeedEventKind.POINTS_REVERSED,
  points_expired: FeedEventKind.POINTS_EXPIRED,
};

function isKind(name: string): name is HappeningKind {
  return name in KINDS;
}

/** The kinds a filter of the contract names; none for an empty one. */
export function kindsOf(wanted: readonly number[]): ReadonlySet<HappeningKind> {
  const numbers: ReadonlySet<number> = new Set(wanted);
  return new Set(
    Object.keys(KINDS)
      .filter(isKind)
      .filter((name) => numbers.has(KINDS[name])),
  );
}

/** The message of an event. */
export function feedEventMessage(item: FeedItem): MessageInitShape<typeof FeedEventSchema> {
  const { points, balanceAfter, discountMinor } = item;
  return {
    cursor: encodeCursor(item.position),
    eventId: item.eventId,
    kind: KINDS[item.kind],
    userId: item.userId,
    occurredAt: timestampFromMs(item.occurredAtMs),
    couponId: item.couponId ?? '',
    promotionId: item.promotionId,
    orderId: item.orderId ?? '',
    points: BigInt(points ?? 0),
    ...(balanceAfter !== undefined && { balanceAfter: BigInt(balanceAfter) }),
    ...(discountMinor !== undefined && { discountMinor: BigInt(discountMinor) }),
  };
}
