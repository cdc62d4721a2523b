import { describe, expect, it } from 'vitest';
import type { Mutation } from './lease-process.ts';
import { MUTATIONS, USES_MUTATIONS } from './mutations.ts';
import { runStockSchedule } from './stock-schedule.ts';
import { runUsesSchedule } from './uses-schedule.ts';

/** More than enough for the fault that is hardest to find. */
const SCHEDULES = 3_000;

/** The first seed whose schedule finds the fault. */
async function seedThatFinds(
  run: (seed: number, mutation: Mutation | undefined) => Promise<unknown>,
  mutation: Mutation | undefined,
): Promise<number | undefined> {
  for (let seed = 1; seed <= SCHEDULES; seed += 1) {
    const isFound = await run(seed, mutation).then(
      () => false,
      () => true,
    );
    if (isFound) return seed;
  }
  return undefined;
}

// LEDGER 10, SPEC C3
describe('the schedules of coupons find that', () => {
  it.each(Object.keys(MUTATIONS))(
    '%s',
    async (name) => {
      expect(await seedThatFinds(runStockSchedule, MUTATIONS[name])).toBeDefined();
    },
    120_000,
  );
});

describe('the schedules of budgets find that', () => {
  it.each(Object.keys(USES_MUTATIONS))(
    '%s',
    async (name) => {
      expect(await seedThatFinds(runUsesSchedule, USES_MUTATIONS[name])).toBeDefined();
    },
    120_000,
  );
});
