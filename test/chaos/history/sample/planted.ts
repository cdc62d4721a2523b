/** What planted breaches are made of: calls of a run on paper, and writes no ledger would do. */

import { encodeRedemption, type Redemption } from '../../../../src/domain/redemption.ts';
import type { EventKind, TargetClass } from '../../../../src/ledger/event-format.ts';
import { ORDER_FIELDS } from '../../../../src/ledger/record-fields.ts';
import type { Operation } from '../history.ts';
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
export function tell(
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
export function behindItsBack(
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
export function writeHead(
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

/** The user of most breaches. */
export const ANN = 'ann';

/** The name of a coupon's wallet field. */
export function couponField(couponId: string): string {
  return Buffer.from(couponId.slice(-32), 'hex').toString('latin1');
}
