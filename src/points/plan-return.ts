/** Giving points back that a coupon cost: the steps, for whoever takes that coupon away to carry out together with it. */
import { giveBack } from '../domain/points.ts';
import { decodePointsSpending } from '../domain/points-spending.ts';
import { isErased } from '../ledger/erased-user.ts';
import { spendingField } from '../ledger/record-fields.ts';
import { accountOf, type Step } from '../ledger/transaction.ts';
import { changeSteps, pointsOf, type RecordMap } from './account-points.ts';

/** What a return is decided on. */
export interface PointsReturnRequest {
  /** The user's account, as read. */
  readonly account: RecordMap;
  readonly userId: string;
  /** The coupon; 44 hexadecimal digits. */
  readonly couponId: string;
  /** Why, for people; may be empty. */
  readonly reason: string;
}

/** A planned return. */
export interface PointsReturn {
  /** They hold the account to what was read. None when there is nothing to give back. */
  readonly steps: readonly Step[];
  /** What the coupon cost. */
  readonly points: number;
}

/**
 * Plans that the points a coupon cost go back to the lots they came from; they pay a debt first. Nothing when the coupon cost
 * none, or was paid back before: the record of what it cost goes with the return.
 */
export function planPointsReturn({ account, userId, couponId, reason }: PointsReturnRequest): PointsReturn {
  const field = spendingField(couponId);
  const value = account.get(field.toString('latin1'));
  if (value === undefined || isErased(account)) return { steps: [], points: 0 };
  const { points, lots } = decodePointsSpending(value);
  const on = accountOf(userId);
  const words = { type: 'return', reason, referenceType: 'coupon', referenceId: couponId } as const;
  return {
    steps: [
      { kind: 'expect', on, field, value },
      { kind: 'remove', on, field },
      ...changeSteps(userId, account, giveBack(pointsOf(account), lots), words),
    ],
    points,
  };
}
