/** One chaos run from start to report. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Surroundings } from '../../tools/command-edge.ts';
import type { Fault } from './faults/fault.ts';
import { FAULTS, PROVEN_ELSEWHERE } from './faults/matrix.ts';
import { createRandom, type Random } from './faults/random.ts';
import type { CheckOptions } from './history/check-history.ts';
import { HistoryWriter, readHistory } from './history/history-file.ts';
import type { Load } from './load/load.ts';
import { chooseFaults, type Injected, Nemesis, type Skipped } from './nemesis.ts';
import type { RunOptions } from './options.ts';
import type { Breach, ChaosReport } from './report/chaos-report.ts';
import { type Sample, Sampler } from './report/sampler.ts';
import { timelineOf } from './report/timeline.ts';
import { runAudit } from './run-audit.ts';
import { judge, startLoad } from './run-load.ts';
import { untilQuiet } from './run-quiet.ts';
import { probeMachine } from './topology/machine.ts';
import { startWorld } from './topology/start-world.ts';
import type { World } from './topology/world.ts';

/** Undisturbed load before the first fault and after the last one, ms. */
const WARM_UP_MS = 1_500;
const CALM_MS = 1_500;
/** Time to find out what became of calls whose outcome is unknown, ms. */
const SETTLE_MS = 60_000;

/** What is known when the load has stopped. */
interface Disturbed {
  readonly startedMs: number;
  readonly loadEndedMs: number;
  readonly injected: readonly Injected[];
  readonly samples: readonly Sample[];
  /** Calls whose outcome stayed unknown. */
  readonly unsettled: number;
}

/** Starts a world, disturbs it under load, lets it come to rest, and decides whether every promise was kept. */
export async function runChaos(options: RunOptions, surroundings: Surroundings): Promise<ChaosReport> {
  const { say, signal, stack } = surroundings;
  const random = createRandom(options.seed);
  const machine = await probeMachine();
  const conditions = { topology: options.topology, machine, isNamed: options.faultIds !== undefined };
  const { chosen, skipped } = chooseFaults(FAULTS, conditions, options.faultIds);
  for (const { id, title, reason } of skipped) say(`skipped: ${id} ${title}: ${reason}`);
  const directory = await prepareFolders(options, stack);
  const breaches: Breach[] = [];
  const world = await startWorld({
    topology: options.topology,
    machine,
    directory,
    random: random.fork('world').next,
    smallDisks: chosen.some(({ id }) => id === 'F8' || id === 'F24'),
    environment: {},
    logDirectory: options.reportDirectory,
    signal,
    stack,
    say,
    onUnexpectedExit: (text) => breaches.push({ promise: 'process', kind: 'ended by itself', text }),
  });
  say(
    `${options.topology}: two serve, two archive, ${world.redis.nodes.length} Redis, Postgres; seed ${options.seed}`,
  );
  const disturbed = await disturb(world, options, chosen, random);
  signal.throwIfAborted();
  return await conclude(world, options, disturbed, breaches, [...skipped, ...elsewhere()]);
}

async function prepareFolders(options: RunOptions, stack: AsyncDisposableStack): Promise<string> {
  await rm(options.reportDirectory, { recursive: true, force: true });
  await mkdir(options.reportDirectory, { recursive: true });
  if (options.keepsFiles) {
    const directory = join(options.reportDirectory, 'stores');
    await mkdir(directory);
    return directory;
  }
  const directory = await mkdtemp(join(tmpdir(), 'hongbao-chaos-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

function elsewhere(): Skipped[] {
  return PROVEN_ELSEWHERE.map(({ id, title, by }) => ({ id, title, reason: `proven by ${by}` }));
}

function historyFile({ reportDirectory }: RunOptions): string {
  return join(reportDirectory, 'history.jsonl');
}

async function disturb(
  world: World,
  options: RunOptions,
  faults: readonly Fault[],
  random: Random,
): Promise<Disturbed> {
  const history = new HistoryWriter(historyFile(options));
  const startedMs = Date.now();
  const sampler = new Sampler(world, history);
  const nemesis = new Nemesis(world, faults, random.fork('nemesis'));
  // What fails stops the clients before their history is closed.
  await using clients = new AsyncDisposableStack();
  try {
    const load = await startLoad(world, options.seed, history);
    clients.defer(() => load.stop());
    await pause(WARM_UP_MS);
    await nemesis.run(Date.now() + options.faultsMs).finally(() => world.redis.repair());
    await pause(CALM_MS);
    const loadEndedMs = Date.now();
    world.say('faults are over; unknown outcomes are asked again until they are known');
    const unsettled = await settle(load);
    return { startedMs, loadEndedMs, injected: nemesis.injected, samples: sampler.samples, unsettled };
  } finally {
    await clients.disposeAsync();
    await sampler.stop();
    history.close();
  }
}

/** Calls without a known outcome are asked again: with every fault healed each has to become known. */
async function settle(load: Load): Promise<number> {
  await load.stop();
  const unsettled = await load.settle(Date.now() + SETTLE_MS);
  load.close();
  return unsettled;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function conclude(
  world: World,
  options: RunOptions,
  disturbed: Disturbed,
  breaches: Breach[],
  skipped: readonly Skipped[],
): Promise<ChaosReport> {
  const { startedMs, loadEndedMs, injected, samples, unsettled } = disturbed;
  const quiet = await untilQuiet(world);
  if (quiet.breach !== undefined) breaches.push(quiet.breach);
  if (unsettled > 0) breaches.push(stillUnknown(unsettled));
  const history = readHistory(historyFile(options));
  const judgement = await judge(world, history, checkOptionsOf(options, injected));
  breaches.push(...judgement.breaches);
  const audit = await runAudit(world.directEnvironment);
  if (audit.code !== 0)
    breaches.push({ promise: 'audit', kind: 'audit', text: `hongbao audit ended with ${audit.code}` });
  const { seed, topology } = options;
  return {
    seed,
    topology,
    partitions: world.redis.partitions,
    command: commandOf(options),
    startedMs,
    endedMs: loadEndedMs,
    passed: breaches.length === 0,
    verdict: { ...judgement.counts, violations: breaches.length + judgement.unnamed },
    breaches,
    injected,
    skipped,
    looked: judgement.looked,
    quietAfterMs: quiet.afterMs,
    audit,
    timeline: timelineOf(history, loadEndedMs),
    samples,
  };
}

function stillUnknown(calls: number): Breach {
  const text = `${calls} calls stayed unknown although every fault was healed`;
  return { promise: 'I12', kind: 'unsettled', text };
}

/** With replicas FAST may lose what the old master had not passed on; reasons are not judged by a clock that was moved. */
function checkOptionsOf({ topology }: RunOptions, injected: readonly Injected[]): CheckOptions {
  const wasClockMoved = injected.some(({ id }) => id === 'F26');
  return {
    mayLoseFast: topology !== 'single',
    ...(wasClockMoved && { clockSlackMs: undefined }),
  };
}

function commandOf({ seed, faultsMs, faultIds, topology }: RunOptions): string {
  const faults = faultIds === undefined ? '' : ` --faults ${[...faultIds].join(',')}`;
  const minutes = Number((faultsMs / 60_000).toFixed(3));
  return `npm run chaos -- --seed ${seed} --minutes ${minutes} --topology ${topology}${faults}`;
}
