/** The simulation, tested: it finds each fault that is planted into the product, and nothing where none is. */
import { expect, it } from 'vitest';
import { MUTATIONS } from './mutations.ts';
import { generateSchedule } from './schedule/generate.ts';
import { runSchedule } from './schedule/run-schedule.ts';

// SPEC L5
it.each(Object.entries(MUTATIONS))('it is found that %s', { timeout: 60_000 }, async (_name, mutation) => {
  const { firstSeed = 1, schedule = generateSchedule, planted } = mutation;
  const end = mutation.begin?.();
  try {
    let found: string | undefined;
    for (let seed = firstSeed; seed < firstSeed + MOST_SCHEDULES && found === undefined; seed += 1)
      found = (await runSchedule(schedule(seed), planted)).violation?.message;
    expect(found).toBeDefined();
  } finally {
    end?.();
  }
});

/** A fault has to show in so many schedules from where it is known to. */
const MOST_SCHEDULES = 150;
