/** Asks or measures one engine with one rule set. */
import { benchInputs } from '../rule-sets/carts.ts';
import { ruleSet } from '../rule-sets/rule-set.ts';
import type { CartTimes, EngineJob, EngineResult, MatchesJob, MatchesResult } from './core-job.ts';
import type { LoadedEngine } from './engines/engine.ts';
import { engineLoader } from './engines/load-engine.ts';
import { timeCalls } from './time-calls.ts';

/** Which promotions match each cart. */
export async function askEngine({ engine: key, idle, cartLines }: MatchesJob): Promise<MatchesResult> {
  const engine = (await engineLoader(key))(ruleSet(idle));
  const carts: string[][] = [];
  for (const input of cartLines.flatMap(benchInputs)) {
    const { run, matchesOf } = engine.prepare(input);
    carts.push(matchesOf(await run()));
  }
  return { carts };
}

/** Loads the rule set and times the cart sizes one after the other. */
export async function measureEngine(job: EngineJob): Promise<EngineResult> {
  const load = await engineLoader(job.engine);
  const promotions = ruleSet(job.idle);
  const startedMs = performance.now();
  const engine = load(promotions);
  const loadMs = performance.now() - startedMs;
  const carts: CartTimes[] = [];
  for (const lines of job.cartLines) carts.push({ lines, ...(await timeCarts(engine, lines, job)) });
  return { loadMs, carts };
}

function timeCarts(
  engine: LoadedEngine,
  lines: number,
  { warmUpMs, measureMs }: EngineJob,
): ReturnType<typeof timeCalls> {
  const calls = benchInputs(lines).map((input) => engine.prepare(input).run);
  return timeCalls(calls, warmUpMs, measureMs);
}
