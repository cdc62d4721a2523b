/** A log whose oldest segments are detached, under everything that users do: nothing is taken for broken, nothing is lost. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { redisRecords } from '../redis-records.ts';
import { ArchiveSide } from './archive-side.ts';
import { runBatch } from './run-sequences.ts';
import { World } from './world.ts';

const SEED = Number(process.env['MODEL_SEED'] ?? Date.now() % 1_000_000_000);
const SEQUENCES = 12;
const ROUNDS = 2;
const SEGMENT_ENTRIES = 25;
const SEGMENTS = 30;

let world: World;
let archive: ArchiveSide;
beforeAll(async () => {
  world = await World.start();
  archive = await ArchiveSide.start(world);
  await archive.divide(SEGMENT_ENTRIES, SEGMENTS);
});
afterAll(async () => {
  await archive.close();
  await world.close();
});

async function expectInOrder(): Promise<void> {
  const { report, text } = await archive.audit();
  expect(report.holds, text).toBe(true);
}

/** Users go on while the log is audited; then it gets shorter by what is archived, and is audited again. */
async function liveOn(round: number): Promise<number> {
  await Promise.all([runBatch(world, SEED + round * SEQUENCES, SEQUENCES), expectInOrder()]);
  await archive.drain();
  const detached = await archive.detach();
  await expectInOrder();
  return detached;
}

// LEDGER 21, 17, 22, SPEC C9
it(`a log without its beginning is audited, rebuilt from and made anew (MODEL_SEED=${SEED})`, {
  timeout: 600_000,
}, async () => {
  for (let round = 0; round < ROUNDS; round += 1) expect(await liveOn(round)).toBeGreaterThan(0);
  const before = await redisRecords(world.redis);
  await world.redis.flushall();
  expect(await archive.rebuild()).toBe('rebuilt');
  expect(await redisRecords(world.redis)).toEqual(before);
  await archive.drain();
  await expectInOrder();
  expect(await archive.regenerate(2)).toEqual([]);
});
