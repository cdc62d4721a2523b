/** The peer: redis-benchmark with the usual claim script, one call per claim, on a redis-server of its own. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { startRedisServer } from '../../tools/servers/redis-server.ts';
import { BENCH_REDIS } from '../processes/bench-redis.ts';
import {
  busyShares,
  readChildrenMicroseconds,
  readCoreTicks,
  readCpuMicroseconds,
} from '../processes/cpu-time.ts';
import { HELPER_CORE, pinnedCommand, pinProcess, SERVER_CORE } from '../processes/pinning.ts';
import { type Contender, type Measurement, SERVER_GROUP, toMeasurement, type Window } from './contender.ts';
import { type RedisBenchmarkFigures, readRedisBenchmark } from './redis-benchmark-output.ts';

const run = promisify(execFile);

/** Connections of redis-benchmark; its default, and what published figures use. */
const CLIENTS = 50;

/** Calls of the run that finds out the rate and warms up. */
const TRIAL_CALLS = 20_000;

/** Range of random users: wide enough that hardly any comes twice. */
const USERS = 2_000_000_000;

const STOCK = 1_000_000_000;
const KEYS = ['bench:stock', 'bench:users', 'bench:orders'];

/** Time redis-benchmark may take beyond its window. */
const SLACK_MS = 60_000;

/** Starts the peer's redis-server on the server's core; the stack ends it. */
export async function startRedisSingleScript(stack: AsyncDisposableStack): Promise<Contender> {
  const server = await startRedisServer(BENCH_REDIS);
  stack.defer(() => server.stop());
  pinProcess(server.pid, SERVER_CORE);
  const redis = new Redis(server.url);
  stack.defer(() => redis.disconnect());
  const script = readFileSync(new URL('./single-claim.lua', import.meta.url), 'utf8');
  return {
    key: 'redis_single_script',
    title: 'redis-benchmark, usual claim script, one call per claim',
    side: 'peer',
    unit: 'claim',
    measure: (window) => measure(redis, server.port, server.pid, script, window),
  };
}

async function measure(
  redis: Redis,
  port: number,
  pid: number,
  script: string,
  window: Window,
): Promise<Measurement> {
  await redis.flushall();
  await redis.set(KEYS[0] ?? '', STOCK);
  const digest = String(await redis.script('LOAD', script));
  const trial = await runBenchmark(port, digest, TRIAL_CALLS, window);
  const rate = trial.requests / trial.seconds;
  const beforeWins = await redis.xlen(KEYS[2] ?? '');
  const before = { cpu: readCpu(pid), cores: readCoreTicks(), children: readChildrenMicroseconds() };
  const figures = await runBenchmark(port, digest, Math.ceil((rate * window.measureMs) / 1000), window);
  const after = { cpu: readCpu(pid), cores: readCoreTicks(), children: readChildrenMicroseconds() };
  const wins = (await redis.xlen(KEYS[2] ?? '')) - beforeWins;
  return toMeasurement({
    operations: wins,
    calls: figures.requests,
    errors: 0,
    outcomes: { claimed: wins, refused: figures.requests - wins },
    measuredMs: figures.seconds * 1000,
    latency: figures.latency,
    series: figures.series,
    cpuUs: { [SERVER_GROUP]: after.cpu - before.cpu },
    generatorCpuUs: after.children - before.children,
    coreBusy: busyShares(before.cores, after.cores),
    responseBytes: ':0\r\n'.length,
  });
}

function readCpu(pid: number): number {
  return readCpuMicroseconds([{ name: SERVER_GROUP, pids: [pid] }]).get(SERVER_GROUP) ?? 0;
}

async function runBenchmark(
  port: number,
  digest: string,
  calls: number,
  window: Window,
): Promise<RedisBenchmarkFigures> {
  const options = ['-h', '127.0.0.1', '-p', port, '-c', CLIENTS, '-n', calls, '-r', USERS];
  const claim = ['EVALSHA', digest, KEYS.length, ...KEYS, 'user-__rand_int__', 'order-__rand_int__'];
  const [program = '', ...rest] = pinnedCommand(
    HELPER_CORE,
    ['redis-benchmark', ...options, ...claim].map(String),
  );
  const { stdout } = await run(program, rest, { timeout: window.measureMs + SLACK_MS, maxBuffer: 2 ** 24 });
  return readRedisBenchmark(stdout);
}
