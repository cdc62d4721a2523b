/** The generator process: one job as JSON on standard input, one result as JSON on standard output. */
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnectLoad } from './connect-load.ts';
import { createGrpcPairLoad } from './grpc-pairs.ts';
import { createGrpcStreamLoad } from './grpc-stream.ts';
import { createGrpcUnaryLoad } from './grpc-unary.ts';
import type { LoadJob, LoadResult } from './job.ts';
import type { LoadDriver } from './load-driver.ts';
import { startPacing } from './pacer.ts';
import { Recorder } from './recorder.ts';

/** Longest wait for the answers to calls that are under way when the window ends. */
const DRAIN_LIMIT_MS = 10_000;

const POLL_MS = 5;

const DRIVERS = {
  'grpc-unary': createGrpcUnaryLoad,
  'grpc-pairs': createGrpcPairLoad,
  'grpc-stream': createGrpcStreamLoad,
  connect: createConnectLoad,
} as const;

async function run(job: LoadJob): Promise<LoadResult> {
  const recorder = new Recorder(job);
  const driver = DRIVERS[job.kind](job, recorder);
  const stopPacing = startLoad(job, driver);
  await sleep(job.warmUpMs);
  recorder.begin();
  await waitForEnd(job, driver);
  if (job.maxCalls === undefined) recorder.finish();
  stopPacing();
  driver.stop();
  await waitUntil(() => driver.inFlight === 0, DRAIN_LIMIT_MS);
  recorder.finish();
  driver.destroy();
  return recorder.result();
}

function startLoad(job: LoadJob, driver: LoadDriver): () => void {
  if (job.callsPerSecond !== undefined) {
    return startPacing(job.callsPerSecond, (dueMs) => driver.startCall(dueMs));
  }
  driver.startClosedLoop();
  return () => undefined;
}

async function waitForEnd(job: LoadJob, driver: LoadDriver): Promise<void> {
  const { maxCalls } = job;
  if (maxCalls === undefined) await sleep(job.measureMs);
  else await waitUntil(() => driver.started >= maxCalls, job.measureMs);
}

async function waitUntil(isDone: () => boolean, limitMs: number): Promise<void> {
  const endsMs = performance.now() + limitMs;
  while (!isDone() && performance.now() < endsMs) await sleep(POLL_MS);
}

const result = await run(JSON.parse(await text(process.stdin)));
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
