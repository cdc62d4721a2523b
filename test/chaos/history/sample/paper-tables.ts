/** The tables people query, as the records of a run on paper say. */
import { couponIdOf, decodeCouponValue } from '../../../../src/domain/coupon.ts';
import { decodePointsEntry } from '../../../../src/domain/points-entry.ts';
import { decodeRedemption } from '../../../../src/domain/redemption.ts';
import { ACCOUNT_FIELDS, ORDER_FIELDS } from '../../../../src/ledger/record-fields.ts';
import type {
  CouponRow,
  LedgerState,
  PartitionState,
  PointsRow,
  RedemptionRow,
} from '../state/ledger-state.ts';
import { eventsOf } from '../state/replay.ts';
import type { PaperProduct } from './paper-coupons.ts';

const COUPON_FIELD_LENGTH = 16;

type Tables = Pick<LedgerState, 'coupons' | 'redemptions' | 'points' | 'inbox' | 'promotions'>;

/** Every table. */
export function paperTables(
  product: PaperProduct,
  logs: readonly PartitionState[],
  events: ReadonlySet<string>,
): Tables {
  return {
    coupons: logs.flatMap(couponRows),
    redemptions: logs.flatMap(redemptionRows),
    points: logs.flatMap(pointsRows),
    inbox: [...events].map((eventId) => ({ eventId, state: 'applied', isOverdue: false })),
    promotions: [...product.promotions.values()].map(({ promotionId, ref, version }) => {
      return { promotionId, ref, version, isPending: false };
    }),
  };
}

function recordsOf({ archived }: PartitionState, target: string): [string, ReadonlyMap<string, string>][] {
  return [...archived]
    .filter(([name]) => name.startsWith(`${target}:`))
    .map(([name, image]) => [name.slice(target.length + 1), image]);
}

function couponRows(state: PartitionState): CouponRow[] {
  return recordsOf(state, 'wallet').flatMap(([userId, image]) =>
    [...image].flatMap(([field, value]) => {
      if (field.length !== COUPON_FIELD_LENGTH) return [];
      const coupon = decodeCouponValue(Buffer.from(value, 'latin1'));
      const couponId = couponIdOf(coupon.issuedAtMs, Buffer.from(field, 'latin1').toString('hex'));
      return [{ couponId, userId, state: coupon.state, orderId: undefined }];
    }),
  );
}

function redemptionRows(state: PartitionState): RedemptionRow[] {
  return recordsOf(state, 'order').flatMap(([id, image]) => {
    const value = image.get(ORDER_FIELDS.head.name);
    if (value === undefined) return [];
    const { state: told, payableMinor, refundedMinor } = decodeRedemption(Buffer.from(value, 'latin1'));
    const [userId = '', orderId = ''] = id.split('/');
    return [{ userId, orderId, state: told, payableMinor, refundedMinor }];
  });
}

function pointsRows(state: PartitionState): PointsRow[] {
  const writes = state.log.flatMap((entry) => eventsOf(state, entry)).flatMap((event) => event.writes);
  return writes.flatMap(({ target, id, fields }) => {
    const value = fields.find(
      ({ name }) => target === 'account' && name === ACCOUNT_FIELDS.lastEntry.name,
    )?.value;
    if (value === undefined) return [];
    const { number, points, balanceAfter } = decodePointsEntry(Buffer.from(value, 'latin1'));
    return [{ userId: id, number, points, balanceAfter }];
  });
}
