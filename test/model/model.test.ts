/** Every operation on coupons, orders and points, in random order, against a model that knows nothing of stores. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { redisRecords, unnumbered } from '../redis-records.ts';
import { ArchiveSide, archivedByModels } from './archive-side.ts';
import { BATCH, type Ended, runBatch } from './run-sequences.ts';
import { World } from './world.ts';

const SEQUENCES = Number(process.env['MODEL_SEQUENCES'] ?? 1_000);
const SEED = Number(process.env['MODEL_SEED'] ?? Date.now() % 1_000_000_000);
/** So many sequences meet every ending by far. */
const ENOUGH = 1_000;

/** How operations end that must all occur, or the sequences prove less than they say. */
const ENDINGS = [
  'award REQUEST_ID_REUSED',
  'award again',
  'claim PROMOTION_ENDED',
  'claim REQUEST_ID_REUSED',
  'claim SOLD_OUT',
  'claim USER_LIMIT_REACHED',
  'claim again',
  'commit RESERVATION_EXPIRED',
  'commit RESERVATION_RELEASED',
  'commit again',
  'commit done',
  'earn again',
  'exchange INSUFFICIENT_POINTS',
  'exchange USER_LIMIT_REACHED',
  'exchange again',
  'exchange done',
  'grant SOLD_OUT',
  'grant again',
  'hide COUPON_STILL_USABLE',
  'hide done',
  'hold COUPON_NOT_APPLICABLE',
  'hold COUPON_NOT_AVAILABLE',
  'hold ORDER_ALREADY_COMMITTED',
  'hold ORDER_ALREADY_RESERVED',
  'hold REQUEST_ID_REUSED',
  'hold USER_USES_EXHAUSTED',
  'hold USES_EXHAUSTED',
  'hold again',
  'lapse done',
  'refund QUANTITY_ABOVE_REMAINING',
  'refund again',
  'refund done',
  'release again',
  'release done',
  'return NOTHING_TO_RETURN',
  'return again',
  'return done',
  'revoke COUPON_NOT_AVAILABLE',
  'revoke done',
];

let world: World;
let archive: ArchiveSide;
beforeAll(async () => {
  world = await World.start();
  archive = await ArchiveSide.start(world);
});
afterAll(async () => {
  await archive.close();
  await world.close();
});

/** Runs a batch, and compares what the archive says about it. */
async function runWithArchive(firstSeed: number, count: number): Promise<Ended[]> {
  const ends = await runBatch(world, firstSeed, count);
  await archive.drain();
  const models = ends.map(({ model }) => model.state);
  expect(await archive.usersOf(models)).toEqual(archivedByModels(models));
  return ends;
}

/** LEDGER 17: every field of Redis is in the projections. */
async function expectRebuilt(): Promise<void> {
  const before = await redisRecords(world.redis);
  await world.redis.flushall();
  expect(await archive.rebuild()).toBe('rebuilt');
  expect(await redisRecords(world.redis)).toEqual(before);
  await archive.drain();
  const { report, text } = await archive.audit();
  expect(report.holds, text).toBe(true);
}

/** LEDGER 8: spread over four partitions and gathered again, everything is as it was. */
async function expectRepartitioned(): Promise<void> {
  const before = unnumbered(await redisRecords(world.redis));
  expect(await archive.regenerate(4)).toEqual([]);
  expect(await archive.regenerate(1)).toEqual([]);
  expect(unnumbered(await redisRecords(world.redis))).toEqual(before);
}

// SPEC L2, L3, L4, L5, L7, P9, T1, T2, T3, T4, T5, C3: answers, live state, archive, and the audit's I1, I2, I4, I5, I6.
it(`${SEQUENCES} sequences do as the model says (MODEL_SEED=${SEED})`, { timeout: 3_600_000 }, async () => {
  const endings = new Set<string>();
  for (let done = 0; done < SEQUENCES; done += BATCH) {
    const ends = await runWithArchive(SEED + done, Math.min(BATCH, SEQUENCES - done));
    for (const { model } of ends) for (const ending of model.endings.keys()) endings.add(ending);
  }
  const { report, text } = await archive.audit();
  expect(report.holds, text).toBe(true);
  await expectRebuilt();
  await expectRepartitioned();
  if (SEQUENCES >= ENOUGH) expect(ENDINGS.filter((ending) => !endings.has(ending))).toEqual([]);
});
