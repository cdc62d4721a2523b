import { expect, test } from 'vitest';
import { RECORD_READS_IN_FLIGHT, RECORDS_PER_READ } from './limits.ts';
import { RecordReads } from './record-reads.ts';

test('reads of one turn travel together, and each hears of its own records', async () => {
  const trips: (readonly string[])[] = [];
  const reads = new RecordReads((keys) => {
    trips.push(keys);
    return Promise.resolve(keys.map((key) => key.toUpperCase()));
  });
  const answers = await Promise.all([reads.read(['a', 'b']), reads.read([]), reads.read(['c'])]);
  expect(answers).toEqual([['A', 'B'], [], ['C']]);
  expect(trips).toEqual([['a', 'b', 'c']]);
});

test('reads that come while others travel wait and then travel together, within what a trip carries', async () => {
  const trips: { keys: readonly string[]; land: () => void }[] = [];
  const reads = new RecordReads((keys) => {
    const { promise, resolve } = Promise.withResolvers<string[]>();
    trips.push({ keys, land: () => resolve([...keys]) });
    return promise;
  });
  const full = Array.from({ length: RECORDS_PER_READ }, (_, index) => `k${index}`);
  const asked = Array.from({ length: RECORD_READS_IN_FLIGHT }, () => reads.read(full));
  const late = [reads.read(['x']), reads.read(['y'])];
  await new Promise(setImmediate);
  expect(trips).toHaveLength(RECORD_READS_IN_FLIGHT);
  for (const { land } of trips) land();
  await Promise.all(asked);
  await new Promise(setImmediate);
  expect(trips.at(-1)?.keys).toEqual(['x', 'y']);
  trips.at(-1)?.land();
  expect(await Promise.all(late)).toEqual([['x'], ['y']]);
});

test('a trip that fails fails for those it carried, and for nobody after them', async () => {
  let isBroken = true;
  const reads = new RecordReads((keys) =>
    isBroken ? Promise.reject(new Error('away')) : Promise.resolve([...keys]),
  );
  const failed = await Promise.allSettled([reads.read(['a']), reads.read(['b'])]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  isBroken = false;
  expect(await reads.read(['c'])).toEqual(['c']);
});
