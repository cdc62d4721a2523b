/** The load of a run, and the judgement over its history: the checker's side of the runner. */
import { LedgerAdmin } from '../../src/ledger/admin.ts';
import { fixedConnection } from '../../src/ledger/partition-connection.ts';
import { type CheckOptions, checkHistory } from './history/check-history.ts';
import type { HistoryRecord, HistorySink } from './history/history.ts';
import { reportOf, type ToldViolation } from './history/report.ts';
import { dumpState, type StateSources } from './history/state/dump-state.ts';
import { type Load, startLoad as startClients } from './load/load.ts';
import type { Breach, Verdict } from './report/chaos-report.ts';
import { generationOf } from './topology/levels.ts';
import type { World } from './topology/world.ts';

/** What the checker said. */
export interface Judgement {
  readonly breaches: readonly Breach[];
  readonly counts: Omit<Verdict, 'violations'>;
  /** Violations beyond those that are told one by one. */
  readonly unnamed: number;
  readonly looked: Readonly<Record<string, number>>;
}

/** Starts clients of the first two `serve`; the third one runs too seldom. */
export async function startLoad(world: World, seed: number, history: HistorySink): Promise<Load> {
  const services = world.serves.slice(0, 2).map((serve) => ({
    host: '127.0.0.1',
    grpcPort: serve.port('grpc'),
    httpPort: serve.port('http'),
  }));
  return await startClients({ seed, services, history });
}

/** Holds a history to what the stores have; nothing may be writing any more. */
export async function judge(
  world: World,
  history: readonly HistoryRecord[],
  options: CheckOptions,
): Promise<Judgement> {
  const state = await dumpState(await sourcesOf(world));
  const findings = checkHistory(history, state, options);
  const { violations, totals, looked } = reportOf(findings, history, state);
  const all = Object.values(totals).reduce((sum, count) => sum + count, 0);
  return {
    breaches: violations.map(breachOf),
    counts: countsOf(violations, totals),
    unnamed: all - violations.length,
    looked,
  };
}

async function sourcesOf(world: World): Promise<StateSources> {
  const generation = await generationOf(world);
  const { partitions } = world.redis;
  const admins: LedgerAdmin[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    const { admin } = await world.redis.masterOf(partition);
    admins.push(new LedgerAdmin(fixedConnection(admin), generation, partition, partitions));
  }
  return { sql: world.postgres.admin, generation, admins };
}

function breachOf({ promise, kind, text, events, history }: ToldViolation): Breach {
  const attempts = history.map((record) => JSON.stringify(record));
  return { promise, kind, text, evidence: [...events, ...attempts] };
}

/** By the promise that a kind of violation breaks: I3 what was kept, I4 what was done once, I1 and I9 what there is to have. */
function countsOf(
  violations: readonly ToldViolation[],
  totals: Readonly<Record<string, number>>,
): Judgement['counts'] {
  const promises = new Map(violations.map(({ kind, promise }) => [kind, promise]));
  const sum = (...names: readonly string[]): number =>
    Object.entries(totals).reduce(
      (count, [kind, total]) => count + (names.includes(promises.get(kind) ?? '') ? total : 0),
      0,
    );
  return { lost: sum('I3'), doubled: sum('I4'), oversold: sum('I1', 'I9') };
}
