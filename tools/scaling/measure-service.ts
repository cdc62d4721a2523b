/**
 * Measures what the simulation is fed with, on this machine: CPU per call by thread, what overload leaves of the claims, and how long a
 * serving process takes to become ready. Takes about two minutes, and wants the machine for itself.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluateJob, lightRequests } from '../../bench/contenders/evaluate-loads.ts';
import { Loads, shapeJob } from '../../bench/contenders/loads.ts';
import { createPromotions, OPEN_PROMOTION } from '../../bench/contenders/product-contenders.ts';
import { runLoad } from '../../bench/contenders/run-load.ts';
import { startService } from '../../bench/evaluate/start-service.ts';
import type { FlushSetting } from '../../bench/flush-lag.ts';
import type { LoadJob } from '../../bench/load/job.ts';
import { measureOverload } from '../../bench/overload.ts';
import { readCpuMicroseconds } from '../../bench/processes/cpu-time.ts';
import { unpinProcess } from '../../bench/processes/pinning.ts';
import { Product } from '../../bench/product/product.ts';
import { Promotions } from '../../bench/product/promotions.ts';
import type { Measured } from './service-costs.ts';

const WINDOW = { warmUpMs: 2_000, measureMs: 6_000 };
/** Starts of each sort. */
const STARTS = 5;
/** Share of the peak at which nothing queues. */
const CALM_SHARE = 0.3;
/** Fields of a thread's stat behind its name: user and system time, in ticks of 10 ms. */
const TIME_FIELDS = [11, 13] as const;
const MICROS_PER_TICK = 10_000;
const MICROS_PER_MS = 1_000;
const KILOBYTES_PER_MEGABYTE = 1_024;

/** Runs everything; `say` gets a line about each step. What is started ends with the call. */
export async function measureService(say: (line: string) => void): Promise<Measured> {
  await using stack = new AsyncDisposableStack();
  const cache = await temporaryFolder(stack);
  process.env['NODE_COMPILE_CACHE'] = cache;
  const product = await Product.start(stack);
  const setting = await startServing(product, stack);
  const { serve, loads } = setting;
  const options = { command: 'overload', topology: 'single', rounds: 1, seconds: 6, quick: true } as const;
  const { peakPerSecond, afterPerSecond, goodputPerSecond } = await measureOverload(setting, {
    options,
    window: WINDOW,
    stack,
    say,
  });
  // The first window may still be compiling what the last one runs.
  const peak = Math.max(peakPerSecond, afterPerSecond);
  const calm = await runLoad({
    ...shapeJob(loads, 'grpc', { port: serve.grpcPort, window: WINDOW, watch: [] }),
    callsPerSecond: Math.round(peak * CALM_SHARE),
  });
  unpinProcess(serve.process.pid);
  const aim = { port: serve.grpcPort, window: WINDOW, watch: [] };
  const claim = await costOf(serve.process.pid, shapeJob(loads, 'grpc', aim), say);
  const { setting: evaluating } = await startService(product, serve);
  const token = evaluating.checkoutToken;
  const evaluation = await costOf(serve.process.pid, evaluateJob(lightRequests(), { ...aim, token }), say);
  const peakMemoryMegabytes = readPeakMemory(serve.process.pid);
  await serve.process[Symbol.asyncDispose]();
  return {
    source: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.versions.node}`,
    claimMainMicros: claim.mainMicros,
    claimOtherMicros: claim.otherMicros,
    evaluationMainMicros: evaluation.mainMicros,
    evaluationOtherMicros: evaluation.otherMicros,
    overloadGoodput: Math.min(1, round(goodputPerSecond / peak, 2)),
    peakMemoryMegabytes,
    calmMillis: round(calm.latency.p50Us / MICROS_PER_MS, 1),
    coldStartMillis: await starts(product, say, () => temporaryFolder(stack)),
    cachedStartMillis: await starts(product, say, async () => cache),
  };
}

async function startServing(product: Product, stack: AsyncDisposableStack): Promise<FlushSetting> {
  const serve = await product.serve(stack);
  const promotions = new Promotions(serve.httpPort, product.tokens.admin);
  await createPromotions(promotions, product.tokens.gateway);
  return { product, serve, promotions, loads: new Loads(OPEN_PROMOTION, product.tokens.gateway) };
}

interface ThreadCost {
  /** Of the main thread, and of all others of the process (workers, collection), µs per call. */
  readonly mainMicros: number;
  readonly otherMicros: number;
}

async function costOf(pid: number, job: LoadJob, say: (line: string) => void): Promise<ThreadCost> {
  const before = readThreads(pid);
  const watch = [{ name: 'server', pids: [pid] }];
  const result = await runLoad({ ...job, watch });
  const after = readThreads(pid);
  if (result.errors > 0) throw new Error(`${result.errors} calls failed: ${result.firstFailure}`);
  const perCall = (result.cpuUs['server'] ?? 0) / result.operations;
  const mainShare = (after.main - before.main) / (after.all - before.all);
  say(`${perCall.toFixed(0)} µs of CPU per call, ${(mainShare * 100).toFixed(0)} % of it on the main thread`);
  return { mainMicros: round(perCall * mainShare, 1), otherMicros: round(perCall * (1 - mainShare), 1) };
}

function readThreads(pid: number): { readonly main: number; readonly all: number } {
  const text = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [userTicks = 0, systemTicks = 0] = fields.slice(...TIME_FIELDS).map(Number);
  const all = readCpuMicroseconds([{ name: 'all', pids: [pid] }]).get('all') ?? 0;
  return { main: (userTicks + systemTicks) * MICROS_PER_TICK, all };
}

/** The most memory a process has had so far, in megabytes of 1024 × 1024 bytes. */
function readPeakMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / KILOBYTES_PER_MEGABYTE);
}

/** Each start with the compile cache of a folder, until the process says that it is ready. */
async function starts(
  product: Product,
  say: (line: string) => void,
  cacheFolder: () => Promise<string>,
): Promise<[number, ...number[]]> {
  const one = async (): Promise<number> => {
    process.env['NODE_COMPILE_CACHE'] = await cacheFolder();
    await using started = new AsyncDisposableStack();
    const beganMs = performance.now();
    await product.serve(started);
    return Math.round(performance.now() - beganMs);
  };
  const millis: [number, ...number[]] = [await one()];
  while (millis.length < STARTS) millis.push(await one());
  say(`ready after ${millis.join(', ')} ms`);
  return millis;
}

async function temporaryFolder(stack: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hongbao-scaling-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
