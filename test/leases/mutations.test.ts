import { describe, expect, it } from 'vitest';
import { MUTATIONS } from './mutations.ts';
import { runStockSchedule } from './stock-schedule.ts';

/** More than enough for the fault that is hardest to find. */
const SCHEDULES = 3_000;

async function seedThatFinds(name: string): Promise<number | undefined> {
  for (let seed = 1; seed <= SCHEDULES; seed += 1) {
    const isFound = await runStockSchedule(seed, MUTATIONS[name]).then(
      () => false,
      () => true,
    );
    if (isFound) return seed;
  }
  return undefined;
}

// LEDGER 10
describe('the schedules of leases find that', () => {
  it.each(Object.keys(MUTATIONS))(
    '%s',
    async (name) => {
      expect(await seedThatFinds(name)).toBeDefined();
    },
    120_000,
  );
});
