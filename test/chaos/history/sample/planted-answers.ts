/** Breaches planted into what clients were told: the ledger did right, and said otherwise. */
import type { Answer, HistoryRecord, Operation } from '../history.ts';
import type { PaperOrder } from './paper-orders.ts';
import { ANN, begun, claimed, ended, type PlantedEvent } from './planted.ts';
import type { PaperRun } from './sample-run.ts';

const ORDER: PaperOrder = { userId: ANN, orderId: 'o1' };
/** An id no coupon of a sample has. */
const NO_COUPON = '0'.repeat(44);

/** A call answered with "done" that the ledger never heard of. */
function pretend(run: PaperRun, operation: Operation, asked: object, answer: Answer): void {
  run.tell({
    operation,
    requestId: 'pretended',
    arguments: { userId: ANN, ...asked },
    carryOut: () => ({ answer }),
  });
}

function lost(operation: Operation, asked: object, answer: Answer): PlantedEvent {
  const order = { reservationId: 'nowhere', coupons: [], ...ORDER };
  return {
    kind: `lost-${operation}`,
    promise: 'I3',
    plant: (run) => pretend(run, operation, asked, { ...order, ...answer }),
  };
}

/** Puts something else in place of the last record. */
function replaceLast(run: PaperRun, change: (record: HistoryRecord) => HistoryRecord): void {
  const last = run.history.pop();
  if (last !== undefined) run.history.push(change(last));
}

/** Asks for a claim again with an answer of our own. */
function again(
  run: PaperRun,
  requestId: string,
  carryOut: () => { answer: Answer } | { refused: string },
): void {
  run.tell({ operation: 'claim', requestId, arguments: { userId: ANN, promotionId: 'p2' }, carryOut });
}

/** Breaches in answers. */
export const PLANTED_ANSWERS: readonly PlantedEvent[] = [
  lost('claim', { promotionId: 'p1' }, { couponId: NO_COUPON, promotionId: 'p1' }),
  lost('claimCode', { code: 'x' }, { couponId: NO_COUPON, promotionId: 'p1' }),
  lost('exchange', { promotionId: 'p3' }, { couponId: NO_COUPON, promotionId: 'p3' }),
  lost('reserve', { orderId: 'o1', couponIds: [] }, {}),
  lost('use', { orderId: 'o1', couponIds: [] }, {}),
  lost('commit', { orderId: 'o1' }, {}),
  lost('release', { orderId: 'o1' }, {}),
  lost('return', { orderId: 'o1' }, {}),
  lost('refund', { orderId: 'o1' }, {}),
  lost('award', { points: 5 }, {}),
  lost('event', { orderId: 'o1' }, {}),
  lost('define', { promotionId: 'p1' }, { promotionId: 'p1', promotionVersion: 99 }),
  {
    kind: 'refused-but-done',
    promise: 'I12',
    plant(run) {
      again(run, 'c1', () => {
        run.product.issue('claim', ANN, 'p2', 'c1');
        return { refused: 'SOLD_OUT' };
      });
    },
  },
  {
    kind: 'refused-after-done',
    promise: 'I4',
    plant(run) {
      claimed(run, ANN, 'p2', 'c1');
      again(run, 'c1', () => ({ refused: 'SOLD_OUT' }));
    },
  },
  {
    kind: 'answered-otherwise',
    promise: 'I4',
    plant(run) {
      claimed(run, ANN, 'p2', 'c1');
      claimed(run, ANN, 'p2', 'c1');
      replaceLast(run, (record) => (record.kind === 'ok' ? { ...record, digest: 'another' } : record));
    },
  },
  {
    kind: 'done-twice',
    promise: 'I4',
    plant(run) {
      claimed(run, ANN, 'p2', 'c1');
      claimed(run, ANN, 'p2', 'c1');
      replaceLast(run, (record) => {
        return record.kind === 'ok' ? { ...record, answer: { ...record.answer, replayed: false } } : record;
      });
    },
  },
  {
    kind: 'told-otherwise',
    promise: 'I12',
    plant(run) {
      claimed(run, ANN, 'p2', 'c1');
      replaceLast(run, (record) => {
        return record.kind === 'ok'
          ? { ...record, answer: { ...record.answer, promotionVersion: 7 } }
          : record;
      });
    },
  },
  {
    kind: 'refused-without-cause',
    promise: 'I12',
    plant: (run) => again(run, 'c1', () => ({ refused: 'SOLD_OUT' })),
  },
  {
    kind: 'landed-late',
    promise: 'I12',
    plant(run) {
      const asked = {
        operation: 'claim',
        requestId: 'c1',
        arguments: { userId: ANN, promotionId: 'p2' },
      } as const;
      const refuse = { ...asked, carryOut: () => ({ refused: 'WALLET_FULL' }) };
      run.tell(refuse, 'unsent');
      run.tell(refuse);
      run.product.issue('claim', ANN, 'p2', 'c1');
    },
  },
  {
    kind: 'nobody-asked',
    promise: 'I12',
    plant: (run) => void run.product.issue('claim', ANN, 'p2', 'nobody'),
  },
  {
    kind: 'code-twice',
    promise: 'I4',
    plant(run) {
      for (const requestId of ['k1', 'k2']) {
        const asked = {
          operation: 'claimCode',
          requestId,
          arguments: { userId: ANN, code: 'ONCE' },
        } as const;
        run.tell({ ...asked, carryOut: () => run.product.issue('code', ANN, 'p2', requestId) });
      }
    },
  },
  {
    kind: 'stray-end',
    promise: 'I12',
    plant(run) {
      claimed(run, ANN, 'p2', 'c1');
      replaceLast(run, (record) => (record.kind === 'ok' ? { ...record, id: 4_711 } : record));
    },
  },
  {
    kind: 'answered-otherwise',
    promise: 'I4',
    plant(run) {
      begun(run, 'use', ORDER, [], 'b1');
      for (let index = 0; index < 2; index += 1) ended(run, 'commit', ORDER, 'e1');
      replaceLast(run, (record) => (record.kind === 'ok' ? { ...record, digest: 'another' } : record));
    },
  },
];
