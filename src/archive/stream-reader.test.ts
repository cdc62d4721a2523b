import { describe, expect, test } from 'vitest';
import { ENTRY_FORMAT } from '../ledger/event-format.ts';
import { HaltError } from './halt.ts';
import type { LedgerAdmin, StreamEntry } from './ledger-port.ts';
import { FLUSH_BYTES, FLUSH_EVENTS } from './limits.ts';
import { SampleLedger } from './sample-entries.ts';
import { StreamReader } from './stream-reader.ts';

/** Only what the reader calls. */
function streamOf(read: () => readonly StreamEntry[]): LedgerAdmin {
  const unused = () => Promise.reject(new Error('not part of this test'));
  return {
    readEntries: async (after, max) =>
      read()
        .filter(({ seq }) => seq > after)
        .slice(0, max),
    serverRunId: unused,
    serverTimeMs: unused,
    openRunId: unused,
    lastSeq: unused,
    firstSeq: unused,
    readEntry: unused,
    applyEntries: unused,
    open: unused,
    publishArchived: unused,
    trimBelow: unused,
    readWalletFields: unused,
    readWallets: unused,
    readPromotionFields: unused,
    scanWalletUsers: unused,
    readRecords: unused,
    scanRecords: unused,
    readDue: unused,
    scanDue: unused,
  };
}

function entriesOf(sizes: readonly number[]): StreamEntry[] {
  const ledger = new SampleLedger();
  return sizes.map((size, entry) => {
    const users = Array.from({ length: size }, (_, index) => `u${entry}-${index}`);
    return ledger.entry(...users.map((user) => ledger.claimed(user, 1)));
  });
}

async function readAll(reader: StreamReader): Promise<number[][]> {
  const batches: number[][] = [];
  for (let last = -1; ; ) {
    const batch = await reader.read(last);
    if (batch.length === 0) return batches;
    batches.push(batch.map((entry) => entry.seq));
    last = batch.at(-1)?.seq ?? last;
    reader.prefetch(last);
  }
}

describe('reading the stream', () => {
  test('batches hold every entry once, in order, within the bounds', async () => {
    const sizes = Array.from({ length: 150 }, (_, index) => (index % 7) * 40);
    const stream = entriesOf(sizes);
    const batches = await readAll(new StreamReader(streamOf(() => stream)));
    expect(batches.flat()).toEqual(stream.map((entry) => entry.seq));
    for (const batch of batches) {
      const events = batch.reduce((sum, seq) => sum + (sizes[seq] ?? 0), 0);
      const bytes = batch.reduce((sum, seq) => sum + (stream[seq]?.payload.length ?? 0), 0);
      expect(events).toBeLessThanOrEqual(FLUSH_EVENTS);
      expect(bytes).toBeLessThanOrEqual(FLUSH_BYTES);
    }
  });

  test('an entry larger than a batch is a batch of its own', async () => {
    const stream = entriesOf([1, FLUSH_EVENTS + 1, 1]);
    expect(await readAll(new StreamReader(streamOf(() => stream)))).toEqual([[0], [1], [2]]);
  });

  // SPEC C4: a batch costs nearly the same however small it is, and what waits for the next one is late.
  test('what was fetched ahead is filled up with what came since', async () => {
    const whole = entriesOf([1, 1, 1, 1, 1]);
    let stream = whole.slice(0, 2);
    const reader = new StreamReader(streamOf(() => stream));
    expect(await reader.read(-1)).toHaveLength(2);
    stream = whole.slice(0, 3);
    reader.prefetch(1);
    await new Promise(setImmediate);
    stream = whole;
    expect((await reader.read(1)).map(({ seq }) => seq)).toEqual([2, 3, 4]);
  });

  // LEDGER rule 15: after a fork of Redis, what was read before is another history.
  test('what was fetched ahead is forgotten on request', async () => {
    let stream = entriesOf([1, 1, 1]);
    const reader = new StreamReader(streamOf(() => stream));
    await reader.read(-1);
    reader.prefetch(0);
    const other = new SampleLedger();
    stream = [0, 1, 2].map(() => other.entry(other.opened()));
    reader.forget();
    const [first] = await reader.read(0);
    expect(first?.payload).toEqual(stream[1]?.payload);
  });

  test('a gap stops the archive instead of being skipped', async () => {
    const stream = entriesOf([1, 1, 1, 1]).filter(({ seq }) => seq !== 2);
    const reader = new StreamReader(streamOf(() => stream));
    await expect(reader.read(-1)).rejects.toMatchObject({ name: 'HaltError', reason: 'hole' });
  });

  test('entries before one of an unknown format are still read', async () => {
    const stream = [...entriesOf([1, 1]), { seq: 2, payload: Buffer.of(ENTRY_FORMAT + 1) }];
    const reader = new StreamReader(streamOf(() => stream));
    expect((await reader.read(-1)).map((entry) => entry.seq)).toEqual([0, 1]);
    await expect(reader.read(1)).rejects.toBeInstanceOf(HaltError);
  });
});
