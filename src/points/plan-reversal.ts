/** Taking points of an order back: the steps, for a refund or return to carry out together with its own. */
import { reverse } from '../domain/points.ts';
import { decodeOrderPoints, encodeOrderPoints, pointsToReverse } from '../domain/points-order.ts';
import { isErased } from '../ledger/erased-user.ts';
import { unchanged } from '../ledger/held-fields.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import { orderOf, type Step } from '../ledger/transaction.ts';
import { changeSteps, pointsOf, type RecordMap } from './account-points.ts';

/** What a reversal is decided on. */
export interface PointsReversalRequest {
  /** The user's account and the order, as read. */
  readonly account: RecordMap;
  readonly order: RecordMap;
  readonly userId: string;
  readonly orderId: string;
  /** What remains paid of the order after everything that was refunded, in minor units. */
  readonly remainingPaidMinor: number;
  /** Nothing of the order is left, so its bonus goes too. Unless told: when nothing remains paid. */
  readonly isWhollyBack?: boolean;
  /** Why, for people; may be empty. */
  readonly reason: string;
  /** What the entry refers to; the order's id unless told. */
  readonly referenceId?: string;
}

/** A planned reversal. */
export interface PointsReversal {
  /** They hold the records to what was read; a step that does not hold means: read and plan again. */
  readonly steps: readonly Step[];
  /** Points taken from what the user can spend. */
  readonly points: number;
  /** Points that had been spent and become a debt. */
  readonly debt: number;
}

/**
 * Plans what is to be taken back; nothing when all of it was taken back before, so repeats are harmless. The order's field
 * `p` is guarded even then: points that it earns in between would be overlooked. An erased user has no points to take.
 */
export function planPointsReversal(request: PointsReversalRequest): PointsReversal {
  const { account, order, userId, orderId, remainingPaidMinor, reason } = request;
  const on = orderOf(userId, orderId);
  const guard = unchanged(on, ORDER_FIELDS.points.bytes, order);
  const bytes = order.get(ORDER_FIELDS.points.name);
  if (bytes === undefined || isErased(account)) return { steps: [guard], points: 0, debt: 0 };
  const earned = decodeOrderPoints(bytes);
  const isWhollyBack = request.isWhollyBack ?? remainingPaidMinor === 0;
  const points = pointsToReverse(earned, remainingPaidMinor, isWhollyBack);
  if (points === 0) return { steps: [guard], points: 0, debt: 0 };
  const change = reverse(pointsOf(account), points, earned.lot);
  const rest = encodeOrderPoints({ ...earned, reversed: earned.reversed + points });
  return {
    steps: [
      guard,
      { kind: 'set', on, field: ORDER_FIELDS.points.bytes, value: Buffer.from(rest) },
      ...changeSteps(userId, account, change, {
        type: 'reverse',
        reason,
        referenceType: 'order',
        referenceId: request.referenceId ?? orderId,
      }),
    ],
    points: 0 - change.points,
    debt: change.debt,
  };
}
