/** Runs sequences, many at a time on one clock; one that fails is run again alone and made small. */
import fc from 'fast-check';
import { compareStates, type Modelled, moveOn, type Real, sequences } from './commands.ts';
import { newModel } from './model-state.ts';
import { Sequence } from './sequence.ts';
import { type Move, SharedClock } from './shared-clock.ts';
import { type Draw, draws, termsOf } from './terms.ts';
import type { World } from './world.ts';

/** Sequences that run at the same time. */
export const BATCH = 100;

const MOVES_MS = [30_000, 60_000, 1_200_000, 86_400_000, 3 * 86_400_000, 30 * 86_400_000] as const;
const MOVES = 6;
const PROMOTIONS_APART = 10;

/** A sequence as it stood at its end, for comparisons with the archive. */
export interface Ended {
  readonly model: Modelled;
  readonly sequence: Sequence;
}

/** How the clock of a batch moves; the same seed, the same moves. */
function movesOf(seed: number): Move[] {
  const moves = fc.record({
    byMs: fc.constantFrom(...MOVES_MS),
    isSwept: fc.constantFrom(true, false, false),
  });
  return fc.sample(moves, { seed, numRuns: MOVES });
}

/** Time to make a failing sequence small, in milliseconds. */
const SHRINK_MS = 60_000;

let started = 0;

/** Runs one sequence to its end, and to the last move of the clock whatever becomes of it. */
async function runOne(
  world: World,
  clock: SharedClock,
  draw: Draw,
  commands: Iterable<fc.AsyncCommand<Modelled, Real>>,
): Promise<Ended> {
  started += 1;
  const terms = termsOf(draw, world.takeRefs(PROMOTIONS_APART), world.nowMs);
  const prefix = `s${started}`;
  const model: Modelled = {
    state: newModel(prefix, terms, world.nowMs),
    history: [],
    place: 0,
    endings: new Map(),
  };
  const real: Real = { sequence: await Sequence.start(world, prefix, terms), clock };
  try {
    await fc.asyncModelRun(() => ({ model, real }), commands);
  } finally {
    while (await moveOn(model, real));
  }
  await compareStates(model.state, real.sequence);
  return { model, sequence: real.sequence };
}

/** The sequence of a seed, as a property. */
function propertyOf(world: World, clock: () => SharedClock, ended: (end: Ended) => void) {
  return fc.asyncProperty(draws, sequences, async (draw, commands) => {
    ended(await runOne(world, clock(), draw, commands));
  });
}

type Property = ReturnType<typeof propertyOf>;

/** How the sequence of a seed went. */
interface Checked {
  readonly seed: number;
  readonly report: Property extends fc.IAsyncProperty<infer Values> ? fc.RunDetails<Values> : never;
}

/** Runs the sequences of `count` seeds from `firstSeed` on at the same time. */
async function checkTogether(
  world: World,
  { firstSeed, count }: { firstSeed: number; count: number },
  ended: (end: Ended) => void,
): Promise<Checked[]> {
  const clock = new SharedClock(count, movesOf(firstSeed), (move) => world.move(move));
  const property = propertyOf(world, () => clock, ended);
  const seeds = Array.from({ length: count }, (_, index) => firstSeed + index);
  return await Promise.all(
    seeds.map(async (seed) => {
      const parameters = { seed, numRuns: 1, endOnFailure: true, unbiased: true };
      return { seed, report: await fc.check(property, parameters) };
    }),
  );
}

/** Runs a batch of sequences. Throws with the smallest sequence that fails. */
export async function runBatch(world: World, firstSeed: number, count: number): Promise<Ended[]> {
  const ends: Ended[] = [];
  const checked = await checkTogether(world, { firstSeed, count }, (end) => ends.push(end));
  const failed = checked.find(({ report }) => report.failed);
  if (failed === undefined) return ends;
  await shrink(world, failed.seed, movesOf(firstSeed));
  const report = await fc.asyncDefaultReportMessage(failed.report);
  throw new Error(`seed ${failed.seed} fails only in its batch, from seed ${firstSeed}: ${report}`, {
    cause: failed.report.errorInstance,
  });
}

/** The seeds among those of a batch whose sequences fail. */
export async function failingSeeds(world: World, firstSeed: number, count: number): Promise<number[]> {
  const checked = await checkTogether(world, { firstSeed, count }, () => undefined);
  return checked.flatMap(({ seed, report }) => (report.failed ? seed : []));
}

/** Runs the sequence of a seed alone. Throws with the smallest one that fails. */
async function shrink(world: World, seed: number, moves: readonly Move[]): Promise<void> {
  const alone = (): SharedClock => new SharedClock(1, moves, (move) => world.move(move));
  const property = propertyOf(world, alone, () => undefined);
  await fc.assert(property, { seed, numRuns: 1, unbiased: true, interruptAfterTimeLimit: SHRINK_MS });
}
