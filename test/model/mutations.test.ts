/** The model-based test, tested: it finds each fault that is planted into what the product writes. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MUTATIONS } from './mutations.ts';
import { BATCH, failingSeeds } from './run-sequences.ts';
import { World } from './world.ts';

/** A fault that needs two calls at once shows up late. */
const MOST_BATCHES = 10;
const SEED = 1;

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(async () => {
  await world.close();
});

// SPEC L3
it('nothing is found where no fault is planted', async () => {
  expect(await failingSeeds(world, SEED, BATCH)).toEqual([]);
});

// SPEC L3, L4, L5, P9, T3, T5
it.each(Object.keys(MUTATIONS))('it is found that %s', { timeout: 300_000 }, async (name) => {
  world.ledger.mutation = MUTATIONS[name];
  try {
    let found: readonly number[] = [];
    for (let batch = 0; batch < MOST_BATCHES && found.length === 0; batch += 1) {
      found = await failingSeeds(world, SEED + batch * BATCH, BATCH);
    }
    expect(found).not.toEqual([]);
  } finally {
    world.ledger.mutation = undefined;
  }
});
