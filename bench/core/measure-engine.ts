/** Measures one engine with one rule set. */
import type { PromotionDefinition } from '../../src/domain/promotion.ts';
import { benchInputs } from '../rule-sets/carts.ts';
import { ruleSet } from '../rule-sets/rule-set.ts';
import type { CartTimes, EngineJob, EngineResult } from './core-job.ts';
import type { EngineLoader, LoadedEngine } from './engines/engine.ts';
import { engineLoader } from './engines/load-engine.ts';
import { timeCalls } from './time-calls.ts';

/** Loads the rule set and takes the cart sizes one after the other. */
export async function measureEngine(job: EngineJob): Promise<EngineResult> {
  const load = await engineLoader(job.engine);
  const { engine, loadMs } = loadTimed(load, ruleSet(job.idle));
  const carts: CartTimes[] = [];
  for (const lines of job.cartLines) carts.push(await measureCarts(engine, lines, job));
  return { loadMs, carts };
}

function loadTimed(
  load: EngineLoader,
  promotions: readonly PromotionDefinition[],
): { engine: LoadedEngine; loadMs: number } {
  const startedMs = performance.now();
  return { engine: load(promotions), loadMs: performance.now() - startedMs };
}

async function measureCarts(engine: LoadedEngine, lines: number, job: EngineJob): Promise<CartTimes> {
  const prepared = benchInputs(lines).map((input) => engine.prepare(input));
  const matches: string[][] = [];
  for (const { run, matchesOf } of prepared) matches.push(matchesOf(await run()));
  const times = await timeCalls(
    prepared.map(({ run }) => run),
    job.warmUpMs,
    job.measureMs,
  );
  return { lines, matches, ...times };
}
