import { expect, it } from 'vitest';
import { LeaseProcess } from '../../../test/leases/lease-process.ts';
import { SeededRandom } from '../../../test/leases/seeded-random.ts';
import { SimulatedNetwork } from '../../../test/leases/simulated-network.ts';
import { claimIn, defineIn, POOL, REF } from '../../../test/leases/simulated-stock.ts';
import { SimulatedPartition } from '../../../test/leases/simulated-store.ts';
import { VirtualTime } from '../../../test/leases/virtual-time.ts';
import { SOLD_OUT_HINT_MS } from './limits.ts';

/** One process on two partitions with a promotion of `quantity` coupons; partition 1 is its home. */
function surroundings(quantity: number) {
  const time = new VirtualTime();
  const random = new SeededRandom(1);
  const stores = [new SimulatedPartition(), new SimulatedPartition()] as const;
  const rates = { lostCall: 0, lostReply: 0, twice: 0, serverDeath: 0 };
  const network = new SimulatedNetwork(time, random, stores, rates);
  const define = (version: number, units: number): void => {
    stores.forEach((store, partition) => {
      defineIn(
        store,
        { ref: REF, version, quantity: units },
        { isHome: partition === 1, closesLease: false },
      );
    });
  };
  define(1, quantity);
  const process = new LeaseProcess({
    time,
    random,
    network,
    mutation: {},
    hintMs: SOLD_OUT_HINT_MS,
    partitions: 2,
  });
  let looks = 0;
  network.onServed = () => {
    looks += 1;
  };
  const obtain = (partition: number, version = 1) =>
    process.coordinator.obtainStock({ promotionRef: REF, partition, version, wanted: 1 });
  return { time, stores, define, obtain, calls: () => looks };
}

// LEDGER 2, 10
it('lets those who ask for the same at the same time share one run', async () => {
  const { time, stores, obtain } = surroundings(40);
  const ends = await time.run(Promise.all([obtain(0), obtain(0), obtain(0)]));
  expect(ends.map(({ kind }) => kind)).toEqual(['granted', 'granted', 'granted']);
  // One chunk of a fourth, not three.
  expect(stores[1].number(POOL, 'g0')).toBe(10);
});

it('remembers for a moment that nothing is left, by this version alone', async () => {
  const { time, stores, define, obtain, calls } = surroundings(1);
  await time.run(obtain(0));
  claimIn(stores[0], 'a');
  expect(await time.run(obtain(1))).toMatchObject({ kind: 'exhausted' });
  const before = calls();
  expect(await time.run(obtain(0))).toMatchObject({ kind: 'exhausted' });
  expect(calls()).toBe(before);
  define(2, 5);
  expect(await time.run(obtain(1, 2))).toEqual({ kind: 'granted' });
});

it('asks again once that is a moment ago', async () => {
  const { time, stores, obtain, calls } = surroundings(1);
  await time.run(obtain(0));
  claimIn(stores[0], 'a');
  await time.run(obtain(1));
  const before = calls();
  await time.run(time.sleep(SOLD_OUT_HINT_MS));
  expect(await time.run(obtain(1))).toMatchObject({ kind: 'exhausted' });
  expect(calls()).toBeGreaterThan(before);
});
