/** Breaches of orders, of coupons in orders and of points, planted into the log of a run on paper. */
import { encodePointsState } from '../../../../src/domain/points.ts';
import { encodePointsEntry } from '../../../../src/domain/points-entry.ts';
import { ACCOUNT_FIELDS } from '../../../../src/ledger/record-fields.ts';
import { latin1 } from './paper-coupons.ts';
import type { PaperOrder } from './paper-orders.ts';
import {
  ANN,
  begun,
  behindItsBack,
  claimed,
  couponField,
  ended,
  type PlantedEvent,
  tell,
  writeHead,
} from './planted.ts';
import type { PaperRun } from './sample-run.ts';

const ORDER: PaperOrder = { userId: ANN, orderId: 'o1' };
const OTHER: PaperOrder = { userId: ANN, orderId: 'o2' };

/** An account as an event leaves it: so many points kept, and the last entry of its history. */
function account(run: PaperRun, kept: string, lastEntry: string): void {
  const fields = {
    [ACCOUNT_FIELDS.points.name]: kept,
    [ACCOUNT_FIELDS.lastEntry.name]: lastEntry,
  };
  run.product.of(ANN).write(run.product.nowMs, 'points_earned', [{ target: 'account', id: ANN, fields }]);
}

function pointsEntry(number: number, points: number, balanceAfter: number, referenceId: string): string {
  const words = { type: 'earn', reason: '', referenceType: 'order', referenceId, atMs: 0 } as const;
  return latin1(encodePointsEntry({ ...words, number, points, balanceAfter }));
}

function pointsState(number: number, points: number): string {
  return latin1(encodePointsState({ number, earned: points, debt: 0, lots: [{ month: 202611, points }] }));
}

function award(run: PaperRun, requestId: string): void {
  tell(run, 'award', requestId, { userId: ANN, points: 40 }, () => run.product.award(ANN, 40, requestId));
}

/** Breaches of orders, coupons in orders, and points. */
export const PLANTED_ORDERS: readonly PlantedEvent[] = [
  {
    kind: 'two-orders',
    promise: 'I4',
    plant(run) {
      const couponId = claimed(run, ANN, 'p2', 'c1');
      const name = couponField(couponId);
      const free = run.product.of(ANN).field('wallet', ANN, name);
      begun(run, 'reserve', ORDER, [couponId], 'b1');
      const field = { target: 'wallet', id: ANN, name, value: free } as const;
      behindItsBack(run, ANN, field, () => begun(run, 'reserve', OTHER, [couponId], 'b2'));
    },
  },
  {
    kind: 'holder-differs',
    promise: 'I4',
    plant(run) {
      const couponId = claimed(run, ANN, 'p2', 'c1');
      const write = run.product.changedCoupon(ANN, couponId, 'used');
      run.product.of(ANN).write(run.product.nowMs, 'used', [write]);
    },
  },
  {
    kind: 'coupon-state',
    promise: 'I4',
    plant(run) {
      const couponId = claimed(run, ANN, 'p2', 'c1');
      const partition = run.product.of(ANN);
      partition.write(run.product.nowMs, 'revoked', [run.product.changedCoupon(ANN, couponId, 'revoked')]);
      partition.write(run.product.nowMs, 'released', [run.product.changedCoupon(ANN, couponId, 'unused')]);
    },
  },
  {
    kind: 'reservation-state',
    promise: 'I10',
    plant(run) {
      begun(run, 'reserve', ORDER, [], 'b1');
      ended(run, 'release', ORDER, 'e1');
      writeHead(run, 'committed', ORDER, { state: 'committed' });
    },
  },
  {
    kind: 'lapsed-early',
    promise: 'I10',
    plant(run) {
      begun(run, 'reserve', ORDER, [], 'b1');
      writeHead(run, 'lapsed', ORDER, { state: 'expired' });
    },
  },
  {
    kind: 'reserved-twice',
    promise: 'I10',
    plant(run) {
      begun(run, 'reserve', ORDER, [], 'b1');
      ended(run, 'release', ORDER, 'e1');
      writeHead(run, 'reserved', ORDER, { state: 'reserved', reservationId: 'b1' });
    },
  },
  {
    kind: 'refunded-too-much',
    promise: 'I10',
    plant(run) {
      begun(run, 'use', ORDER, [], 'b1');
      writeHead(run, 'refunded', ORDER, { refundedMinor: 999_999 });
    },
  },
  {
    kind: 'undone',
    promise: 'I3',
    plant(run) {
      begun(run, 'reserve', ORDER, [], 'b1');
      ended(run, 'commit', ORDER, 'e1');
      writeHead(run, 'released', ORDER, { state: 'released' });
    },
  },
  {
    kind: 'uses-miscounted',
    promise: 'I2',
    plant(run) {
      const couponId = claimed(run, ANN, 'p2', 'c1');
      const field = { target: 'usage', id: '2', name: 'n', value: '4' } as const;
      behindItsBack(run, ANN, field, () => begun(run, 'use', ORDER, [couponId], 'b1'));
    },
  },
  {
    kind: 'carried-out-twice',
    promise: 'I4',
    plant(run) {
      award(run, 'a1');
      behindItsBack(run, ANN, { target: 'account', id: ANN, name: 'w:a1', value: undefined }, () =>
        award(run, 'a1'),
      );
    },
  },
  {
    kind: 'points-sum',
    promise: 'I5',
    plant(run) {
      account(run, pointsState(1, 10), pointsEntry(1, 5, 10, 'x'));
    },
  },
  {
    kind: 'points-order',
    promise: 'I5',
    plant(run) {
      account(run, pointsState(3, 10), pointsEntry(3, 10, 10, 'x'));
    },
  },
  {
    kind: 'points-lots',
    promise: 'I5',
    plant(run) {
      account(run, pointsState(1, 25), pointsEntry(1, 10, 10, 'x'));
    },
  },
  {
    kind: 'points-doubled',
    promise: 'I5',
    plant(run) {
      for (const number of [1, 2]) {
        const entry = pointsEntry(number, 10, 10 * number, 'the same order');
        account(run, pointsState(number, 10 * number), entry);
      }
    },
  },
];
