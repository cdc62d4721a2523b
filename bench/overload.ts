/** What is left of the claims when three times as many come as can be answered, and callers do not wait for answers (F29). */
import { shapeJob } from './contenders/loads.ts';
import { runLoad } from './contenders/run-load.ts';
import type { FlushSetting } from './flush-lag.ts';
import type { LoadResult } from './load/job.ts';
import type { SuiteRun } from './suites/suite.ts';

/** Load that comes, as a multiple of what can be answered. */
const OVERLOAD = 3;
/** A claim answered later than this after it was due is of no use: the customer has left. */
const USEFUL_MS = 1_000;
/** Time in which the service comes back to itself, before it is measured again. */
const PAUSE_MS = 1_000;

/** Claims answered in time, under the load that can be answered and under three times as much. */
export interface OverloadResult {
  readonly peakPerSecond: number;
  readonly offeredPerSecond: number;
  readonly goodputPerSecond: number;
  /** Claims per second at the peak again, afterwards: what the storm has left behind. */
  readonly afterPerSecond: number;
  /** What calls were answered under overload, by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Peak, overload and peak again in one run, over gRPC. */
export async function measureOverload(
  { product, serve, loads }: FlushSetting,
  { window, say }: SuiteRun,
): Promise<OverloadResult> {
  const aim = { port: serve.grpcPort, window, watch: product.ledgerProcesses };
  const run = async (callsPerSecond?: number): Promise<LoadResult> => {
    const job = { ...shapeJob(loads, 'grpc', aim), usefulMs: USEFUL_MS };
    const result = await runLoad(callsPerSecond === undefined ? job : { ...job, callsPerSecond });
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    say(`${Math.round(rateOf(result))} claims/s in time, of ${callsPerSecond ?? 'as many as are answered'}`);
    return result;
  };
  const peakPerSecond = rateOf(await run());
  const offeredPerSecond = Math.round(peakPerSecond * OVERLOAD);
  const storm = await run(offeredPerSecond);
  const afterPerSecond = rateOf(await run());
  say(`refused with: ${storm.firstFailure ?? 'nothing'}`);
  return {
    peakPerSecond,
    offeredPerSecond,
    goodputPerSecond: rateOf(storm),
    afterPerSecond,
    outcomes: storm.outcomes,
  };
}

function rateOf({ operations, measuredMs }: LoadResult): number {
  return (operations / measuredMs) * 1000;
}
