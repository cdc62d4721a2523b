/** A rolling restart of every process, one after the other, while clients go on: no call may fail, nothing acknowledged may be missing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Surroundings } from '../../../tools/command-edge.ts';
import { HistoryMemory } from '../../chaos/history/history-file.ts';
import { type Load, startLoad } from '../../chaos/load/load.ts';
import { Sampler } from '../../chaos/report/sampler.ts';
import { runAudit } from '../../chaos/run-audit.ts';
import { judge } from '../../chaos/run-load.ts';
import { untilQuiet } from '../../chaos/run-quiet.ts';
import type { World } from '../../chaos/topology/world.ts';
import type { RollingOptions } from '../options.ts';
import { type DrillResult, reportHead } from '../report.ts';
import { type DrillWorld, READINESS_DELAY_MS } from '../start-world.ts';
import { callsBetween, reasonsOf } from './calls-of-step.ts';
import { openGateway } from './gateway.ts';
import { type Restart, restart } from './restart.ts';
import { type RollingReport, rollingLines, type Step } from './rolling-report.ts';

/** So long that a call fails for what the product does and not for a busy machine, ms; how long it took is reported. */
const CALL_TIMEOUT_MS = 10_000;
/** Time to find out what became of calls whose outcome is unknown, ms. */
const SETTLE_MS = 20_000;

/** A stretch of the drill, before what clients saw in it is counted. */
interface Stretch {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly restart: Restart | undefined;
}

/** Runs the drill; nobody may have written to the world before. */
export async function drillRolling(
  { world, failures }: DrillWorld,
  options: RollingOptions,
  { stack, say }: Surroundings,
): Promise<DrillResult<RollingReport>> {
  const startedMs = Date.now();
  const history = new HistoryMemory();
  const sampler = new Sampler(world, history);
  stack.defer(() => sampler.stop());
  const serves = world.serves.slice(0, 2);
  const load = await startLoad({
    seed: options.seed,
    services: [],
    history,
    ratePerSecond: options.ratePerSecond,
    callTimeoutMs: CALL_TIMEOUT_MS,
    wires: openGateway(serves),
  });
  stack.defer(() => load.close());
  const stretches = await restartAll(world, options, say);
  await load.stop();
  await sampler.stop();
  const steps = stretches.map((stretch) => stepOf(stretch, history, sampler));
  const reasons = Object.fromEntries(reasonsOf(history.records));
  say('the load is over; what was acknowledged is looked for');
  const { audited, audit, breaches } = await conclude(world, load, history);
  failures.push(...failuresOf(steps), ...breaches);
  const report: RollingReport = {
    ...reportHead('rolling', options.command, startedMs, failures),
    ratePerSecond: options.ratePerSecond,
    readinessDelayMs: READINESS_DELAY_MS,
    steps,
    reasons,
    audited,
    audit,
  };
  return { report, lines: rollingLines(report) };
}

async function restartAll(
  world: World,
  { calmMs, roles }: RollingOptions,
  say: (line: string) => void,
): Promise<readonly Stretch[]> {
  let fromMs = Date.now();
  const stretches: Stretch[] = [];
  const finish = (name: string, how: Restart | undefined): void => {
    const toMs = Date.now();
    stretches.push({ name, fromMs, toMs, restart: how });
    fromMs = toMs;
    say(name);
  };
  await sleep(calmMs);
  finish('undisturbed', undefined);
  const processes = { serve: world.serves.slice(0, 2), archive: world.archives };
  for (const process of roles.flatMap((role) => processes[role])) {
    const how = await restart(world, process);
    await sleep(calmMs);
    finish(`${process.name} restarted`, how);
  }
  return stretches;
}

function stepOf(
  { name, fromMs, toMs, restart: how }: Stretch,
  history: HistoryMemory,
  sampler: Sampler,
): Step {
  const behind = sampler.samples
    .filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
    .map(({ backlogEntries = 0 }) => backlogEntries);
  return {
    name,
    tookMs: toMs - fromMs,
    ...callsBetween(history.records, fromMs, toMs),
    mostEntriesBehind: Math.max(0, ...behind),
    restart: how,
  };
}

function failuresOf(steps: readonly Step[]): string[] {
  return steps.flatMap(({ name, failed, calls, restart: how }) => [
    ...(failed > 0 ? [`${name}: ${failed} of ${calls} calls failed`] : []),
    ...(calls === 0 ? [`${name}: nobody called`] : []),
    ...(how !== undefined && how.exitCode !== 0
      ? [`${how.name} ended with ${how.exitCode} after SIGTERM`]
      : []),
  ]);
}

/** Waits until everything is archived, then holds what clients were told to what the stores have. */
async function conclude(world: World, load: Load, history: HistoryMemory) {
  const unsettled = await load.settle(Date.now() + SETTLE_MS);
  const quiet = await untilQuiet(world);
  const judgement = await judge(world, history.records, {});
  const audit = await runAudit(world.directEnvironment);
  const acknowledged = history.records.filter(({ kind }) => kind === 'ok').length;
  return {
    audited: { acknowledged, ...judgement.counts },
    audit,
    breaches: [
      ...(unsettled > 0 ? [`${unsettled} calls stayed unknown`] : []),
      ...(quiet.breach === undefined ? [] : [quiet.breach.text]),
      ...judgement.breaches.map(({ promise, kind, text }) => `${promise} ${kind}: ${text}`),
      ...(audit.code === 0 ? [] : [`hongbao audit ended with ${audit.code}: ${audit.output}`]),
    ],
  };
}
