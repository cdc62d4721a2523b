/** Stores are lost one way after the other and restored as docs/recovery.md says; what is gone then is counted. */
import { alignRows } from '../../../bench/report/align-rows.ts';
import type { Surroundings } from '../../../tools/command-edge.ts';
import { openWires } from '../../chaos/load/wire.ts';
import type { World } from '../../chaos/topology/world.ts';
import type { LossName, RestoreOptions } from '../options.ts';
import { type DrillReport, type DrillResult, reportHead, verdictLines } from '../report.ts';
import type { DrillWorld } from '../start-world.ts';
import { drillLoss, type LossOutcome } from './losses.ts';
import { countKinds, describeKinds, type Missing } from './survivors.ts';
import { Writer } from './writer.ts';

/** One loss in figures. */
interface LossReport {
  readonly name: LossName;
  readonly acknowledged: number;
  /** Acknowledged after the newest copy that was put back. */
  readonly afterCopies: number;
  readonly missing: Missing;
  readonly missingInAll: number;
  readonly restoredAfterMs: number;
  /** Lost writes that were made anew when they were asked for again under their request ids. */
  readonly repeated: number;
  readonly commands: readonly {
    readonly command: string;
    readonly code: number | null;
    readonly output: string;
  }[];
}

/** The report. */
interface RestoreReport extends DrillReport {
  readonly drill: 'restore';
  readonly writes: number;
  readonly losses: readonly LossReport[];
}

const DONE_BY: Readonly<Record<LossName, string>> = {
  redis: 'Redis lost; rebuilt from Postgres',
  postgres: 'Postgres lost; its backup, the rest from Redis',
  both: 'both lost; both backups',
  'both-without-files': "both lost; Postgres's backup only",
};

/** Runs the drill. */
export async function drillRestore(
  { world, failures }: DrillWorld,
  options: RestoreOptions,
  surroundings: Surroundings,
): Promise<DrillResult<RestoreReport>> {
  const startedMs = Date.now();
  const outcomes = await loseAll(world, options, surroundings);
  failures.push(...outcomes.flatMap(failuresOf));
  const report: RestoreReport = {
    ...reportHead('restore', options.command, startedMs, failures),
    writes: options.writes,
    losses: outcomes.map(lossReport),
  };
  return { report, lines: restoreLines(report) };
}

async function loseAll(
  world: World,
  { writes, losses }: RestoreOptions,
  { stack, say }: Surroundings,
): Promise<readonly LossOutcome[]> {
  const services = world.serves.slice(0, 1).map((serve) => ({
    host: '127.0.0.1',
    grpcPort: serve.port('grpc'),
    httpPort: serve.port('http'),
  }));
  const wires = openWires(services, () => ({}));
  stack.defer(() => wires.close());
  const [wire] = wires.grpc;
  if (wire === undefined) throw new Error('there is nobody to write to');
  const writer = new Writer(wire);
  const outcomes: LossOutcome[] = [];
  for (const name of losses) outcomes.push(await drillLoss(name, { world, writer, writes, say }));
  return outcomes;
}

/** What is not in a copy may be gone; everything else must be there, and what is asked for again must come back. */
function failuresOf({ name, missing, afterCopies, commands, repeated }: LossOutcome): string[] {
  const allowed = new Set(afterCopies);
  const broken = missing.filter((write) => !allowed.has(write));
  return [
    ...(broken.length === 0
      ? []
      : [`${name}: ${describeKinds(countKinds(broken))} gone that a copy or the other store had`]),
    ...(repeated === missing.length
      ? []
      : [`${name}: ${missing.length - repeated} lost writes were not made anew by asking again`]),
    ...commands
      .filter(({ code }) => code !== 0)
      .map(({ command, code, output }) => `${name}: ${command} ended with ${code}: ${output.trim()}`),
  ];
}

function lossReport({ name, acknowledged, afterCopies, missing, ...rest }: LossOutcome): LossReport {
  return {
    name,
    acknowledged: acknowledged.length,
    afterCopies: afterCopies.length,
    missing: countKinds(missing),
    missingInAll: missing.length,
    restoredAfterMs: rest.restoredAfterMs,
    repeated: rest.repeated,
    commands: rest.commands,
  };
}

const COLUMNS: readonly (readonly [title: string, cell: (loss: LossReport) => string])[] = [
  ['loss', ({ name }) => DONE_BY[name]],
  ['acknowledged', ({ acknowledged }) => String(acknowledged)],
  ['after the copies', ({ afterCopies }) => String(afterCopies)],
  ['gone', ({ missingInAll }) => String(missingInAll)],
  ['made anew by asking again', ({ repeated }) => String(repeated)],
  ['back after', ({ restoredAfterMs }) => `${(restoredAfterMs / 1_000).toFixed(1)} s`],
  ['audit', ({ commands }) => String(commands.at(-1)?.code)],
];

function restoreLines(report: RestoreReport): string[] {
  const { losses } = report;
  return [
    ...alignRows([
      COLUMNS.map(([title]) => title),
      ...losses.map((loss) => COLUMNS.map(([, cell]) => cell(loss))),
    ]),
    '',
    ...losses.flatMap(({ name, missing, commands }) => [
      `${DONE_BY[name]}: ${describeKinds(missing)} gone`,
      ...commands.map(({ command, code }) => `    ${command}: exit code ${code}`),
    ]),
    ...verdictLines(report),
  ];
}
