/**
 * What an event of the ledger means to the outside. Events hold post-images only, so this needs nothing but the event: a
 * coupon's state after it and what kind of event it was.
 */
import { COUPON_FIELD_BYTES, type CouponValue, couponIdOf, decodeCouponValue } from '../domain/coupon.ts';
import { decodePointsEntry, type PointsEntry, type PointsEntryType } from '../domain/points-entry.ts';
import { decodeRedemption } from '../domain/redemption.ts';
import type { EventKind, LedgerEvent } from '../ledger/event-format.ts';
import { ACCOUNT_FIELDS, ORDER_FIELDS } from '../ledger/record-fields.ts';

/** The kinds of things the feed tells. */
export type HappeningKind =
  | 'claimed'
  | 'issued'
  | 'reserved'
  | 'used'
  | 'released'
  | 'returned'
  | 'revoked'
  | 'expiring'
  | 'expired'
  | 'points_earned'
  | 'points_spent'
  | 'points_reversed'
  | 'points_expired';

/** One thing that happened to a user. */
export interface Happening {
  readonly kind: HappeningKind;
  readonly userId: string;
  readonly couponId?: string;
  readonly promotionRef?: number;
  readonly orderId?: string;
  /** Signed: what came or went. */
  readonly points?: number;
  readonly balanceAfter?: number;
  /** What the coupon took off the order, in minor units. */
  readonly discountMinor?: number;
}

/** What an event does to the coupons it writes; kinds that are not listed tell nothing about coupons. */
const COUPON_KINDS: Partial<Record<EventKind, HappeningKind>> = {
  claimed: 'claimed',
  code_claimed: 'claimed',
  granted: 'issued',
  exchanged: 'issued',
  event_granted: 'issued',
  reserved: 'reserved',
  committed: 'used',
  used: 'used',
  released: 'released',
  lapsed: 'released',
  returned: 'returned',
  refunded: 'returned',
  revoked: 'revoked',
};

/** States that contradict a kind: such a coupon was written for another reason, and is not told of. */
const OTHER_STATES: Partial<Record<HappeningKind, readonly CouponValue['state'][]>> = {
  reserved: ['unused', 'used', 'expired', 'revoked'],
  used: ['unused', 'reserved', 'expired', 'revoked'],
  returned: ['used', 'reserved'],
  released: ['used', 'reserved'],
};

const POINTS_KINDS: Readonly<Record<PointsEntryType, HappeningKind>> = {
  earn: 'points_earned',
  award: 'points_earned',
  return: 'points_earned',
  spend: 'points_spent',
  reverse: 'points_reversed',
  expire: 'points_expired',
};

/** Events about what is kept where, not about what happened; and the end of a user, which nobody is told. */
const SILENT: ReadonlySet<EventKind> = new Set(['erased', 'retired', 'hidden', 'carried']);

/** What an event tells, in a fixed order: coupons as written, then points. What cannot be read tells nothing. */
export function happeningsOf(event: LedgerEvent): Happening[] {
  if (SILENT.has(event.kind)) return [];
  return [...couponHappenings(event), ...pointsHappenings(event)];
}

function couponHappenings(event: LedgerEvent): Happening[] {
  const kind = COUPON_KINDS[event.kind];
  if (kind === undefined) return [];
  const order = orderOf(event);
  return event.writes
    .filter(({ target }) => target === 'wallet')
    .flatMap(({ id, fields }) =>
      fields.flatMap(({ field, value }) => {
        const coupon = readCoupon(field, value);
        if (coupon === undefined || OTHER_STATES[kind]?.includes(coupon.state)) return [];
        const couponId = couponIdOf(coupon.issuedAtMs, field.toString('hex'));
        const discountMinor = kind === 'used' ? order?.discounts.get(couponId) : undefined;
        return [
          {
            kind,
            userId: id,
            couponId,
            promotionRef: coupon.promotionRef,
            ...(order !== undefined && { orderId: order.orderId }),
            ...(discountMinor !== undefined && { discountMinor }),
          },
        ];
      }),
    );
}

function readCoupon(field: Buffer, value: Buffer | undefined): CouponValue | undefined {
  if (field.length !== COUPON_FIELD_BYTES || value === undefined) return undefined;
  return readOrNothing(() => decodeCouponValue(value));
}

/** The order an event is about, and what each coupon took off it. */
function orderOf(
  event: LedgerEvent,
): { orderId: string; discounts: ReadonlyMap<string, number> } | undefined {
  const write = event.writes.find(({ target }) => target === 'order');
  if (write === undefined) return undefined;
  const head = write.fields.find(({ field }) => field.toString('latin1') === ORDER_FIELDS.head.name)?.value;
  const redemption = head === undefined ? undefined : readOrNothing(() => decodeRedemption(head));
  const discounts = redemption?.coupons.map((coupon) => [coupon.couponId, coupon.discountMinor] as const);
  return { orderId: write.id.slice(write.id.indexOf('/') + 1), discounts: new Map(discounts) };
}

function pointsHappenings(event: LedgerEvent): Happening[] {
  return event.writes
    .filter(({ target }) => target === 'account')
    .flatMap(({ id, fields }) => {
      const bytes = fields.find(
        ({ field }) => field.toString('latin1') === ACCOUNT_FIELDS.lastEntry.name,
      )?.value;
      const entry = bytes === undefined ? undefined : readOrNothing(() => decodePointsEntry(bytes));
      return entry === undefined ? [] : [pointsHappening(id, entry)];
    });
}

function pointsHappening(userId: string, entry: PointsEntry): Happening {
  const { points, balanceAfter, referenceType, referenceId } = entry;
  return {
    kind: POINTS_KINDS[entry.type],
    userId,
    points,
    balanceAfter,
    ...(referenceType === 'order' && { orderId: referenceId }),
  };
}

/** The audit reports what is damaged; the feed goes on. */
function readOrNothing<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
