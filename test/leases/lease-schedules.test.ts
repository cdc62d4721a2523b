import { expect, test } from 'vitest';
import { runStockSchedule } from './stock-schedule.ts';
import { runUsesSchedule } from './uses-schedule.ts';

/** Schedules of each kind; more with LEASE_SCHEDULES. */
const SCHEDULES = Number(process.env['LEASE_SCHEDULES'] ?? 150);
const FIRST_SEED = Number(process.env['LEASE_SEED'] ?? 1);

// LEDGER 10, I1, SPEC C3
test('coupons are never issued beyond the quantity, and never refused while one is left', async () => {
  let soldOut = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SCHEDULES; seed += 1) {
    const result = await runStockSchedule(seed).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
    soldOut += result.soldOut;
  }
  expect(soldOut).toBeGreaterThan(0);
}, 600_000);

// LEDGER 10
test('a budget is never exceeded, and spent to its last unit by whoever asks', async () => {
  let spent = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SCHEDULES; seed += 1) {
    spent += await runUsesSchedule(seed).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
  }
  expect(spent).toBeGreaterThan(0);
}, 600_000);
