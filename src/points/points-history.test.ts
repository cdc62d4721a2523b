import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LedgerFixture, soon, startLedgerFixture } from '../../test/ledger-fixture.ts';
import { encodePointsEntry, type PointsEntry } from '../domain/points-entry.ts';
import { accountOf } from '../ledger/transaction.ts';
import { HISTORY_CHUNK } from './limits.ts';
import { type PointsHistory, pointsHistoryPage } from './points-history.ts';

let fixture: LedgerFixture;
beforeAll(async () => {
  fixture = await startLedgerFixture();
});
afterAll(async () => {
  await fixture.close();
});

function entryOf(number: number): PointsEntry {
  return {
    number,
    points: 1,
    balanceAfter: number,
    type: number % 10 === 0 ? 'award' : 'earn',
    reason: '',
    referenceType: 'order',
    referenceId: `o${number}`,
    atMs: number,
  };
}

/** An archive that has the transactions up to `reached()`, newest first. */
function historyOf(reached: () => number, awaited: (seq: number) => void = () => {}): PointsHistory {
  return {
    ledger: fixture.ledger,
    readEntries: async (_userId, below, limit) => {
      const newest = Math.min(reached(), (below ?? Number.MAX_SAFE_INTEGER) - 1);
      return Array.from({ length: Math.min(limit, newest) }, (_, index) => entryOf(newest - index));
    },
    awaitArchived: async (_userId, seq) => awaited(seq),
  };
}

async function putLast(userId: string, number: number): Promise<void> {
  const value = Buffer.from(encodePointsEntry(entryOf(number)));
  const steps = [{ kind: 'set', on: accountOf(userId), field: Buffer.from('t'), value } as const];
  await fixture.ledger.transact({ event: 'points_earned', opensNew: false, steps }, soon());
}

const numbersOf = (entries: readonly PointsEntry[]): number[] => entries.map(({ number }) => number);
const everything = { below: undefined, size: 3, isWanted: () => true };

// SPEC T2
describe('the history of points', () => {
  it('shows the last transaction before the archive has it', async () => {
    await putLast('ann', 8);
    const page = await pointsHistoryPage(
      historyOf(() => 7),
      { ...everything, userId: 'ann' },
      soon(),
    );
    expect(numbersOf(page.entries)).toEqual([8, 7, 6]);
    expect(page.hasMore).toBe(true);
  });

  it('shows no transaction twice', async () => {
    await putLast('bea', 8);
    const page = await pointsHistoryPage(
      historyOf(() => 9),
      { ...everything, userId: 'bea' },
      soon(),
    );
    expect(numbersOf(page.entries)).toEqual([9, 8, 7]);
  });

  it('waits for an archive that is a little behind', async () => {
    await putLast('cat', 8);
    let reached = 5;
    const history = historyOf(
      () => reached,
      (seq) => {
        reached = seq > 0 ? 8 : 5;
      },
    );
    const page = await pointsHistoryPage(history, { ...everything, userId: 'cat' }, soon());
    expect(numbersOf(page.entries)).toEqual([8, 7, 6]);
  });

  it('has no hole: what an archive far behind does not have is left out', async () => {
    await putLast('dan', 8);
    const page = await pointsHistoryPage(
      historyOf(() => 5),
      { ...everything, userId: 'dan' },
      soon(),
    );
    expect(numbersOf(page.entries)).toEqual([5, 4, 3]);
  });

  it('of nobody is empty', async () => {
    const page = await pointsHistoryPage(
      historyOf(() => 0),
      { ...everything, userId: 'eve' },
      soon(),
    );
    expect(page).toEqual({ entries: [], hasMore: false });
  });

  it('finds the wanted types however rare they are, page by page', async () => {
    const history = historyOf(() => 3 * HISTORY_CHUNK);
    const isWanted = ({ type }: PointsEntry): boolean => type === 'award';
    const seen: number[] = [];
    for (let below: number | undefined; ; below = seen.at(-1)) {
      const page = await pointsHistoryPage(history, { userId: 'fay', below, size: 7, isWanted }, soon());
      seen.push(...numbersOf(page.entries));
      if (!page.hasMore) break;
    }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => 300 - 10 * index));
  });
});
