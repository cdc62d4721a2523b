/** Breaches of stock and limits, planted into the log of a run on paper. */
import { claimCounterField } from '../../../../src/ledger/record-fields.ts';
import { ANN, begun, behindItsBack, claimed, couponField, type PlantedEvent } from './planted.ts';
import type { PaperRun } from './sample-run.ts';

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
      useUnbounded(run, 13);
    },
  },
  {
    kind: 'budget',
    promise: 'I9',
    plant(run) {
      useUnbounded(run, 10);
    },
  },
];

function promotion(run: PaperRun) {
  const found = run.product.promotions.get('p2');
  if (found === undefined) throw new Error('the sample has a second promotion');
  return found;
}

/** So many orders of a promotion whose bounds only the checker knows. */
function useUnbounded(run: PaperRun, orders: number): void {
  run.product.promotions.set('p2', {
    ...promotion(run),
    usesTotal: undefined,
    budgetMinor: undefined,
    perUser: 50,
  });
  for (let index = 0; index < orders; index += 1) useOne(run, index);
}

function useOne(run: PaperRun, index: number): void {
  const order = { userId: `u${index}`, orderId: `o${index}` };
  begun(run, 'use', order, [claimed(run, order.userId, 'p2', `c${index}`)], `b${index}`);
}
