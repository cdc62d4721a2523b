/** Breaches planted into the log of a run on paper: what the ledger must never do. */

import { encodePointsState } from '../../../../src/domain/points.ts';
import { encodePointsEntry } from '../../../../src/domain/points-entry.ts';
import { encodeRedemption, type Redemption } from '../../../../src/domain/redemption.ts';
import type { EventKind, TargetClass } from '../../../../src/ledger/event-format.ts';
import { ACCOUNT_FIELDS, claimCounterField, ORDER_FIELDS } from '../../../../src/ledger/record-fields.ts';
import type { Answer, Operation } from '../history.ts';
import type { PromiseName } from '../violation.ts';
import { latin1, type PaperEnd } from './paper-coupons.ts';
import type { PaperOrder } from './paper-orders.ts';
import type { PaperRun } from './sample-run.ts';

/** A breach, and what the checker must call it. */
export interface PlantedEvent {
  readonly kind: string;
  readonly promise: PromiseName;
  readonly partitions?: number;
  plant(run: PaperRun): void;
}

/** Makes a call whose answer is given, or decided by the product on paper. */
function tell(
  run: PaperRun,
  operation: Operation,
  requestId: string,
  asked: object,
  carryOut: () => PaperEnd,
): void {
  run.tell({ operation, requestId, arguments: asked, carryOut });
}

/** A claim by the product on paper; answers with the coupon's id. */
export function claimed(run: PaperRun, userId: string, promotionId: string, requestId: string): string {
  let couponId = '';
  tell(run, 'claim', requestId, { userId, promotionId }, () => {
    const end = run.product.issue('claim', userId, promotionId, requestId);
    couponId = 'answer' in end ? (end.answer.couponId ?? '') : '';
    return end;
  });
  return couponId;
}

/** An order begun by the product on paper. */
export function begun(
  run: PaperRun,
  operation: 'reserve' | 'use',
  order: PaperOrder,
  couponIds: readonly string[],
  requestId: string,
): void {
  tell(run, operation, requestId, { ...order, couponIds }, () =>
    run.orders.begin(operation, order, couponIds, requestId),
  );
}

/** A commit or release by the product on paper. */
export function ended(
  run: PaperRun,
  operation: 'commit' | 'release',
  order: PaperOrder,
  requestId: string,
): void {
  tell(run, operation, requestId, { ...order }, () => run.orders.end(operation, order, requestId));
}

/** Changes a field behind the ledger's back, does something that goes wrong because of it, and changes it back. */
function behindItsBack(
  run: PaperRun,
  userId: string,
  field: {
    readonly target: TargetClass;
    readonly id: string;
    readonly name: string;
    readonly value: string | undefined;
  },
  act: () => void,
): void {
  const { world } = run.product.of(userId);
  const { target, id, name, value } = field;
  const before = world.field(target, id, name);
  world.apply({ target, id, fields: [{ name, value }] });
  act();
  if (target === 'promotion') world.apply({ target, id, fields: [{ name, value: before }] });
}

/** Writes an order's head as it should not be. */
function writeHead(
  run: PaperRun,
  kind: EventKind,
  { userId, orderId }: PaperOrder,
  changes: Partial<Redemption>,
): void {
  const head = run.orders.headOf({ userId, orderId });
  if (head === undefined) throw new Error('there is no such order');
  const id = `${userId}/${orderId}`;
  const value = latin1(encodeRedemption({ ...head, ...changes }));
  const fields = { [ORDER_FIELDS.head.name]: value };
  run.product
    .of(userId)
    .write(run.product.nowMs, kind, [
      { target: 'order', id, fields },
      ...(changes.state === undefined
        ? []
        : [{ target: 'due' as const, id: '', fields: { [id]: undefined } }]),
    ]);
}

const ANN = 'ann';
const ORDER: PaperOrder = { userId: ANN, orderId: 'o1' };
const OTHER: PaperOrder = { userId: ANN, orderId: 'o2' };

function couponField(couponId: string): string {
  return Buffer.from(couponId.slice(-32), 'hex').toString('latin1');
}

function account(run: PaperRun, fields: Readonly<Record<string, string>>): void {
  run.product.of(ANN).write(run.product.nowMs, 'points_earned', [{ target: 'account', id: ANN, fields }]);
}

function pointsEntry(number: number, points: number, balanceAfter: number, referenceId: string): string {
  const words = { type: 'earn', reason: '', referenceType: 'order', referenceId, atMs: 0 } as const;
  return latin1(encodePointsEntry({ ...words, number, points, balanceAfter }));
}

function pointsState(number: number, points: number): string {
  return latin1(encodePointsState({ number, earned: points, debt: 0, lots: [{ month: 202611, points }] }));
}

function award(run: PaperRun, requestId: string): Answer {
  let answer: Answer = {};
  tell(run, 'award', requestId, { userId: ANN, points: 40 }, () => {
    const end = run.product.award(ANN, 40, requestId);
    if ('answer' in end) ({ answer } = end);
    return end;
  });
  return answer;
}

/** Breaches of stock and limits. */
export const PLANTED_STOCK: readonly PlantedEvent[] = [
  {
    kind: 'oversold',
    promise: 'I1',
    plant(run) {
      const field = { target: 'promotion', id: '1', name: 'received', value: '99' } as const;
      behindItsBack(run, ANN, field, () => {
        for (let index = 0; index < 8; index += 1) claimed(run, `u${index}`, 'p1', `c${index}`);
      });
    },
  },
  {
    kind: 'oversold-in-all',
    promise: 'I1',
    partitions: 2,
    plant(run) {
      for (const user of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']) {
        const field = { target: 'promotion', id: '1', name: 'received', value: '99' } as const;
        behindItsBack(run, user, field, () => void claimed(run, user, 'p1', `c-${user}`));
      }
    },
  },
  {
    kind: 'overgranted',
    promise: 'I1',
    partitions: 2,
    plant(run) {
      const fields = { g0: '6', g1: '6', q: '7' };
      run.product.partitions[1]?.write(run.product.nowMs, 'leased', [{ target: 'pool', id: '1', fields }]);
    },
  },
  {
    kind: 'lease-not-granted',
    promise: 'I1',
    partitions: 2,
    plant(run) {
      const fields = { granted: '50', received: '50' };
      run.product.partitions[0]?.write(run.product.nowMs, 'leased', [
        { target: 'promotion', id: '1', fields },
      ]);
    },
  },
  {
    kind: 'user-limit',
    promise: 'I9',
    plant(run) {
      claimed(run, ANN, 'p1', 'c1');
      const name = claimCounterField(1).toString('latin1');
      behindItsBack(
        run,
        ANN,
        { target: 'wallet', id: ANN, name, value: '0' },
        () => void claimed(run, ANN, 'p1', 'c2'),
      );
    },
  },
  {
    kind: 'stock-miscounted',
    promise: 'I2',
    plant(run) {
      claimed(run, ANN, 'p1', 'c1');
      run.product
        .of(ANN)
        .write(run.product.nowMs, 'revoked', [{ target: 'promotion', id: '1', fields: { issued: '0' } }]);
    },
  },
  {
    kind: 'issued-twice',
    promise: 'I4',
    plant(run) {
      const name = couponField(claimed(run, ANN, 'p2', 'c1'));
      behindItsBack(
        run,
        ANN,
        { target: 'wallet', id: ANN, name, value: undefined },
        () => void claimed(run, ANN, 'p2', 'c1'),
      );
    },
  },
  {
    kind: 'definition-undone',
    promise: 'I12',
    plant(run) {
      const before = run.product.promotions.get('p1');
      if (before === undefined) return;
      run.product.define({ ...before, version: 3 });
      run.product.define({ ...before, version: 2 });
    },
  },
  {
    kind: 'use-limit',
    promise: 'I9',
    plant(run) {
      run.product.promotions.set('p2', {
        ...promotion(run),
        usesTotal: undefined,
        budgetMinor: undefined,
        perUser: 50,
      });
      for (let index = 0; index < 13; index += 1) useOne(run, index);
    },
  },
  {
    kind: 'budget',
    promise: 'I9',
    plant(run) {
      run.product.promotions.set('p2', {
        ...promotion(run),
        usesTotal: undefined,
        budgetMinor: undefined,
        perUser: 50,
      });
      for (let index = 0; index < 10; index += 1) useOne(run, index);
    },
  },
];

function promotion(run: PaperRun) {
  const found = run.product.promotions.get('p2');
  if (found === undefined) throw new Error('the sample has a second promotion');
  return found;
}

function useOne(run: PaperRun, index: number): void {
  const order = { userId: `u${index}`, orderId: `o${index}` };
  begun(run, 'use', order, [claimed(run, order.userId, 'p2', `c${index}`)], `b${index}`);
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
      behindItsBack(
        run,
        ANN,
        { target: 'account', id: ANN, name: 'w:a1', value: undefined },
        () => void award(run, 'a1'),
      );
    },
  },
  {
    kind: 'points-sum',
    promise: 'I5',
    plant(run) {
      const fields = {
        [ACCOUNT_FIELDS.points.name]: pointsState(1, 10),
        [ACCOUNT_FIELDS.lastEntry.name]: pointsEntry(1, 5, 10, 'x'),
      };
      account(run, fields);
    },
  },
  {
    kind: 'points-order',
    promise: 'I5',
    plant(run) {
      const fields = {
        [ACCOUNT_FIELDS.points.name]: pointsState(3, 10),
        [ACCOUNT_FIELDS.lastEntry.name]: pointsEntry(3, 10, 10, 'x'),
      };
      account(run, fields);
    },
  },
  {
    kind: 'points-lots',
    promise: 'I5',
    plant(run) {
      const fields = {
        [ACCOUNT_FIELDS.points.name]: pointsState(1, 25),
        [ACCOUNT_FIELDS.lastEntry.name]: pointsEntry(1, 10, 10, 'x'),
      };
      account(run, fields);
    },
  },
  {
    kind: 'points-doubled',
    promise: 'I5',
    plant(run) {
      const entry = (number: number): Record<string, string> => ({
        [ACCOUNT_FIELDS.points.name]: pointsState(number, 10 * number),
        [ACCOUNT_FIELDS.lastEntry.name]: pointsEntry(number, 10, 10 * number, 'the same order'),
      });
      account(run, entry(1));
      account(run, entry(2));
    },
  },
];
