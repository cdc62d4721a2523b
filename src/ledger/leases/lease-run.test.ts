import { expect, it } from 'vitest';
import { claimIn, defineIn, POOL, RECORD, REF, revokeIn } from '../../../test/leases/simulated-stock.ts';
import { SimulatedPartition } from '../../../test/leases/simulated-store.ts';
import { Refusal } from '../../domain/refusal.ts';
import { leaseField, USAGE_FIELDS } from '../record-fields.ts';
import { usageOf } from '../transaction.ts';
import type { LeasePorts } from './lease-ports.ts';
import { LeaseRun } from './lease-run.ts';
import { stockLease } from './stock-lease.ts';
import { allowanceIn, usageLease } from './usage-lease.ts';

const HOME = 1;

/** Three partitions of which 1 is home, with a promotion of `quantity` coupons, and the ports of one process. */
function surroundings(quantity: number) {
  const stores = Array.from({ length: 3 }, () => new SimulatedPartition());
  stores.forEach((store, partition) => {
    defineIn(store, { ref: REF, version: 1, quantity }, { isHome: partition === HOME, closesLease: false });
  });
  let nowMs = 0;
  const at = (partition: number): SimulatedPartition => {
    const store = stores[partition];
    if (store === undefined) throw new RangeError('no such partition');
    return store;
  };
  const ports: LeasePorts = {
    partitions: stores.length,
    readPool: async (on) => at(HOME).read(on),
    readPartition: async (partition, on) => at(partition).read(on),
    transactAt: async (partition, transaction) => at(partition).transact(transaction, nowMs),
    ensureDefined: async () => {},
    pause: async (ms) => {
      nowMs += ms;
    },
    nowMs: () => nowMs,
    random: () => 0,
    called: () => {},
    moved: () => {},
  };
  const obtain = (partition: number, changed: Partial<LeasePorts> = {}, wanted = 1) =>
    new LeaseRun(
      { ...ports, ...changed },
      stockLease(REF),
      { partition, need: 1, wanted },
      nowMs + 1_000,
    ).run();
  return { ports, at, obtain };
}

// LEDGER 10
it('lends a chunk that gets smaller with what is left, and at least what waits', async () => {
  const { at, obtain } = surroundings(60);
  await obtain(0);
  expect(at(0).number(RECORD, 'received')).toBe(10);
  await obtain(2);
  expect(at(2).number(RECORD, 'received')).toBe(9);
  await obtain(1, {}, 25);
  expect(at(1).number(RECORD, 'received')).toBe(25);
  expect(at(HOME).number(POOL, 't')).toBe(44);
});

it('takes half of what another partition has not used when the pool is empty', async () => {
  const { at, obtain } = surroundings(8);
  await obtain(0, {}, 8);
  claimIn(at(0), 'a');
  expect(await obtain(2)).toEqual({ kind: 'granted' });
  expect(at(0).number(RECORD, 'received')).toBe(4);
  expect(at(2).number(RECORD, 'received')).toBeGreaterThan(0);
  expect(at(HOME).number(POOL, 't')).toBeLessThanOrEqual(8);
});

it('says that nothing is left when everything is in use, and not while one partition cannot be asked', async () => {
  const { at, obtain } = surroundings(1);
  await obtain(0);
  claimIn(at(0), 'a');
  expect(await obtain(2)).toMatchObject({ kind: 'exhausted', limit: 1, used: 1 });
  const away = new Refusal('LEDGER_UNAVAILABLE', 'nobody answers');
  const unreachable: LeasePorts['readPartition'] = async (partition, on) => {
    if (partition === 1) throw away;
    return at(partition).read(on);
  };
  expect(await obtain(2, { readPartition: unreachable })).toEqual({ kind: 'unavailable', cause: away });
});

it('does not take moments at which partitions had nothing for one moment at which nobody had', async () => {
  const { at, obtain } = surroundings(2);
  await obtain(0);
  await obtain(1);
  claimIn(at(0), 'a');
  let isFirstLook = true;
  // Partition 0 is seen full, gets its coupon back, and only then the last one of partition 1 goes: one was always left.
  const moving: LeasePorts['readPartition'] = async (partition, on) => {
    const seen = at(partition).read(on);
    if (partition !== 0 || !isFirstLook) return seen;
    isFirstLook = false;
    revokeIn(at(0), 'a');
    claimIn(at(1), 'b');
    return seen;
  };
  expect(await obtain(2, { readPartition: moving })).toEqual({ kind: 'granted' });
  expect(claimIn(at(2), 'c')).toEqual({ kind: 'claimed', isNew: true });
});

it('does not grant again what the pool forgot it had granted', async () => {
  const { at, obtain } = surroundings(5);
  await obtain(0, {}, 5);
  at(HOME).atOnce(() => at(HOME).write(POOL, { g0: 0, t: 0 }));
  for (const user of ['a', 'b', 'c', 'd', 'e']) claimIn(at(0), user);
  expect(await obtain(2)).toMatchObject({ kind: 'exhausted', used: 5 });
});

it('tells the pool of units that came back only once the partition is known to keep that', async () => {
  const { at, obtain, ports } = surroundings(4);
  await obtain(0, {}, 4);
  // Somebody took two units back, but the server loses that before anybody was answered.
  const before = at(0).read(RECORD);
  at(0).atOnce(() => at(0).write(RECORD, { back: 2, received: 2 }));
  let isLost = false;
  const losing: LeasePorts['transactAt'] = async (partition, transaction, deadlineMs) => {
    if (!isLost) {
      isLost = true;
      at(0).atOnce(() => at(0).write(RECORD, { back: 0, received: 4 }));
    }
    return await ports.transactAt(partition, transaction, deadlineMs);
  };
  await obtain(2, { transactAt: losing });
  const lent = [0, 1, 2].reduce((sum, partition) => sum + at(partition).number(RECORD, 'received'), 0);
  expect(before.get('received')?.toString()).toBe('4');
  expect(lent).toBeLessThanOrEqual(4);
});

it('finishes what another process began: a grant that was never delivered', async () => {
  const { at, obtain, ports } = surroundings(3);
  let calls = 0;
  const dying: LeasePorts['transactAt'] = async (partition, transaction, deadlineMs) => {
    calls += 1;
    if (calls > 1) return await new Promise(() => {});
    return await ports.transactAt(partition, transaction, deadlineMs);
  };
  void obtain(0, { transactAt: dying }, 3);
  await new Promise(setImmediate);
  expect([at(HOME).number(POOL, 'g0'), at(0).number(RECORD, 'received')]).toEqual([3, 0]);
  await obtain(2);
  await obtain(0);
  expect(at(0).number(RECORD, 'received') + at(2).number(RECORD, 'received')).toBeGreaterThan(1);
  expect(at(HOME).number(POOL, 't')).toBeLessThanOrEqual(3);
});

it('lets nobody use what was lent under a larger limit before all that is lent is within the smaller one', async () => {
  const { ports, at } = surroundings(0);
  const uses = usageOf(REF);
  const lease = leaseField(USAGE_FIELDS.uses.name).name;
  const run = (partition: number, limit: number, wanted: number, changed: Partial<LeasePorts> = {}) => {
    const shape = usageLease({ promotionRef: REF, counter: USAGE_FIELDS.uses.name, limit });
    return new LeaseRun({ ...ports, ...changed }, shape, { partition, need: 1, wanted }, 1_000).run();
  };
  for (const partition of [0, 1, 2]) await run(partition, 90, 25);
  // It ends after the first step, by which others give back what is too much; two of them keep some.
  const ends: Partial<LeasePorts> = {
    transactAt: async (partition, transaction) => {
      await ports.transactAt(partition, transaction, 0);
      throw new Refusal('LEDGER_UNAVAILABLE', 'the process ends');
    },
  };
  await run(0, 40, 1, ends);
  const counter = { promotionRef: REF, counter: USAGE_FIELDS.uses.name, limit: 40 };
  expect([1, 2].map((partition) => at(partition).read(uses).get(lease)?.toString())).not.toContain(undefined);
  expect([0, 1, 2].map((partition) => allowanceIn(at(partition).read(uses), counter))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  for (const partition of [0, 1, 2]) await run(partition, 40, 1);
  const allowed = [0, 1, 2].map((partition) => allowanceIn(at(partition).read(uses), counter) ?? 0);
  expect(allowed.reduce((sum, units) => sum + units, 0)).toBeLessThanOrEqual(40);
});
