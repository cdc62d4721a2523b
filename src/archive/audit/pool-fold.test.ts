import { expect, test } from 'vitest';
import type { EventKind, LedgerEntry } from '../../ledger/event-format.ts';
import { Check } from './check.ts';
import { PoolFold } from './pool-fold.ts';

function entryOf(kind: EventKind, fields: Readonly<Record<string, string | number>>): LedgerEntry {
  const written = Object.entries(fields).map(([field, value]) => ({
    field: Buffer.from(field),
    value: Buffer.from(String(value)),
  }));
  return {
    formatVersion: 2,
    timeMs: 0,
    eventsTotal: 1,
    events: [{ kind, writes: [{ target: 'pool', id: '7', fields: written }] }],
  };
}

function breachesOf(entries: readonly LedgerEntry[], isWhole = true): readonly string[] {
  const check = new Check('I1', 'stock', []);
  const fold = new PoolFold(check, isWhole);
  entries.forEach((entry, seq) => {
    fold.add(seq, entry);
  });
  return check.result().breaches;
}

const DEFINED = entryOf('defined', { q: 10 });
const LENT = entryOf('leased', { g0: 6, g3: 4, t: 10 });

// I1, LEDGER 10
test('a pool may lend all there is, hear of what came back, and lend it again', () => {
  const again = entryOf('leased', { b0: 3, g1: 3, t: 10 });
  expect(breachesOf([DEFINED, LENT, again])).toEqual([]);
});

test('a pool that lends more than there is, or counts otherwise than its partitions have, is found', () => {
  const tooMuch = entryOf('leased', { g1: 1, t: 11 });
  expect(breachesOf([DEFINED, LENT, tooMuch])).toEqual(['event 2:0 lends 11 of 10 coupons of promotion 7']);
  const miscounted = entryOf('leased', { b3: 1, t: 10 });
  expect(breachesOf([DEFINED, LENT, miscounted])).toEqual([
    'event 2:0 counts 10 coupons of promotion 7 as lent, partitions have 9',
  ]);
});

test('uses are told apart from coupons; a smaller quantity, and a log without its start, are no breach', () => {
  expect(breachesOf([DEFINED, LENT, entryOf('leased', { 'n:g0': 50, 'n:t': 50 })])).toEqual([]);
  expect(breachesOf([DEFINED, LENT, entryOf('defined', { q: 4 })])).toEqual([]);
  expect(breachesOf([entryOf('leased', { b0: 3, t: 7 })], false)).toEqual([]);
});
