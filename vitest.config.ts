import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** A test that fails once must fail again: the order of the tests follows a seed that every run prints. */
const orderSeed = Number(process.env['TEST_ORDER_SEED'] ?? Date.now() % 1_000_000);

/**
 * Files that run at once. Half of their time they wait for stores and processes, so that two share two cores well, which by vitest's
 * own rule would get one.
 */
const maxWorkers = Math.max(2, availableParallelism() - 1);

/** Stores are shared by the whole run, so files run in processes of their own and each makes its own database. */
export default defineConfig({
  test: {
    include: ['{src,test,tools,bench}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers,
    globalSetup: ['test/global-set-up.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    sequence: { shuffle: { files: false, tests: true }, seed: orderSeed },
  },
});
