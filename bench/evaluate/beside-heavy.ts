/** What light requests feel of heavy ones, and of changes of the rules: their latency beside those, and alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVER_GROUP, toMeasurement, type Window } from '../contenders/contender.ts';
import { evaluateJob, heavyRequests, lightRequests, type Requests } from '../contenders/evaluate-loads.ts';
import { runLoad } from '../contenders/run-load.ts';
import type { LoadResult } from '../load/job.ts';
import { callConnect } from '../product/connect-call.ts';
import type { ServeProcess } from '../product/product.ts';
import { livePromotions } from '../rule-sets/live-promotions.ts';
import { median } from '../statistics.ts';

/** Share of the measured peak at which light requests come: a service that is busy, not full. */
const LIGHT_SHARE = 0.25;

/** Heavy requests per second: large carts and full wallets by turns. */
const HEAVY_PER_SECOND = 4;

/** Time from one change of a promotion to the next. */
const CHANGE_EVERY_MS = 100;

/** The service with its rule set, and how to call it. */
export interface EvaluateSetting {
  readonly serve: ServeProcess;
  readonly checkoutToken: string;
  readonly adminToken: string;
  /** Refs of the coupons' promotions, see `wallets.ts`. */
  readonly couponRefs: ReadonlyMap<number, number>;
}

/** Light requests in three situations, medians over the rounds. Latency counts from the moment a request was due. */
export interface BesideResult {
  readonly lightPerSecond: number;
  readonly heavyPerSecond: number;
  readonly aloneP99Us: number;
  readonly besideHeavyP99Us: number;
  readonly duringChangesP99Us: number;
  readonly heavyP99Us: number;
  /** Medians of the ratios of the rounds, to the latency alone. */
  readonly besideHeavyRatio: number;
  readonly duringChangesRatio: number;
  /** Changes of promotions made while they were measured. */
  readonly changes: number;
  /** Answers other than the expected one, of light and heavy requests, and refused changes. */
  readonly errors: number;
  /** Share of the server's core that something else used, 0 to 1, median over all measurements. */
  readonly foreignShare: number;
  readonly firstFailure?: string;
}

interface BesideRound {
  readonly alone: LoadResult;
  readonly beside: LoadResult;
  readonly heavy: LoadResult;
  readonly changing: LoadResult;
  readonly changes: number;
}

/** Measures all three situations in every round. `peakPerSecond` is what the service can do at most. */
export async function measureBeside(
  setting: EvaluateSetting,
  peakPerSecond: number,
  rounds: number,
  window: Window,
  say: (line: string) => void,
): Promise<BesideResult> {
  const rate = Math.max(1, Math.round(peakPerSecond * LIGHT_SHARE));
  const light = (): Promise<LoadResult> => send(setting, lightRequests(), rate, window);
  const heavy = (): Promise<LoadResult> =>
    send(setting, heavyRequests(setting.couponRefs), HEAVY_PER_SECOND, window);
  const all: BesideRound[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const alone = await light();
    const [beside, heavyResult] = await Promise.all([light(), heavy()]);
    const { result: changing, changes } = await changeDuring(setting, round, light);
    all.push({ alone, beside, heavy: heavyResult, changing, changes });
    const p99s = [alone, beside, changing].map(({ latency }) => latency.p99Us);
    say(`round ${round}: p99 of light requests alone, beside heavy, during changes: ${p99s.join(', ')} µs`);
  }
  return summarize(rate, all);
}

function send(
  { serve, checkoutToken }: EvaluateSetting,
  requests: Requests,
  callsPerSecond: number,
  window: Window,
): Promise<LoadResult> {
  const watch = [{ name: SERVER_GROUP, pids: [serve.process.pid] }];
  const aim = { port: serve.grpcPort, token: checkoutToken, window, watch, callsPerSecond };
  return runLoad(evaluateJob(requests, aim));
}

/** Changes one live promotion after the other through the public API until the load is over; fails when a change is refused. */
async function changeDuring(
  { serve, adminToken }: EvaluateSetting,
  round: number,
  load: () => Promise<LoadResult>,
): Promise<{ result: LoadResult; changes: number }> {
  const ids = livePromotions().map(({ id }) => id);
  const over = new AbortController();
  let changes = 0;
  const changing = (async () => {
    while (!over.signal.aborted) {
      const pause = sleep(CHANGE_EVERY_MS);
      await callConnect(serve.httpPort, adminToken, 'PromotionService/UpdatePromotion', {
        promotionId: ids[changes % ids.length],
        promotion: { priority: changes % 90 },
        updateMask: 'priority',
        requestId: `bench-change-${round}-${changes}`,
      });
      changes += 1;
      await pause;
    }
  })();
  const result = await load().finally(() => over.abort());
  await changing;
  return { result, changes };
}

function summarize(lightPerSecond: number, rounds: readonly BesideRound[]): BesideResult {
  const p99 = (read: (round: BesideRound) => LoadResult): number =>
    median(rounds.map((round) => read(round).latency.p99Us));
  const ratio = (read: (round: BesideRound) => LoadResult): number =>
    median(rounds.map((round) => read(round).latency.p99Us / round.alone.latency.p99Us));
  const loads = rounds.flatMap(({ alone, beside, heavy, changing }) => [alone, beside, heavy, changing]);
  const firstFailure = loads.find((load) => load.firstFailure !== undefined)?.firstFailure;
  return {
    lightPerSecond,
    heavyPerSecond: HEAVY_PER_SECOND,
    aloneP99Us: p99(({ alone }) => alone),
    besideHeavyP99Us: p99(({ beside }) => beside),
    duringChangesP99Us: p99(({ changing }) => changing),
    heavyP99Us: p99(({ heavy }) => heavy),
    besideHeavyRatio: ratio(({ beside }) => beside),
    duringChangesRatio: ratio(({ changing }) => changing),
    changes: rounds.reduce((sum, { changes }) => sum + changes, 0),
    foreignShare: median(loads.map((load) => toMeasurement(load).foreignShare)),
    errors: loads.reduce((sum, { errors }) => sum + errors, 0),
    ...(firstFailure === undefined ? {} : { firstFailure }),
  };
}
