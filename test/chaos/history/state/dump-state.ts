/** Reads all stores once a run has come to rest, and waits for that. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerAdmin } from '../../../../src/archive/ledger-port.ts';
import type { Sql } from '../../../../src/database/client.ts';
import type { CursorLook } from '../history.ts';
import { dumpPartition, dumpTables, partitionIds } from './dump-postgres.ts';
import { dumpRedis } from './dump-redis.ts';
import type { LedgerState, PartitionState } from './ledger-state.ts';

/** Where the stores are. */
export interface StateSources {
  readonly sql: Sql;
  /** The generation in use. */
  readonly generation: number;
  /** The ledger's own side of each partition of that generation, in order. */
  readonly admins: readonly LedgerAdmin[];
}

const POLL_MS = 100;
/** Looks in a row that must find everything still: jobs of the archive write in between. */
const QUIET_LOOKS = 5;

/** Reads everything. Nothing may be writing: wait with {@link awaitRest} first. */
export async function dumpState({ sql, generation, admins }: StateSources): Promise<LedgerState> {
  const tables = await dumpTables(sql);
  const refs = tables.promotions.map(({ ref }) => ref);
  const logs: PartitionState[] = [];
  for (const id of await partitionIds(sql)) {
    const archived = await dumpPartition(sql, id, admins.length);
    const admin = id.generation === generation ? admins[id.partition] : undefined;
    logs.push({ ...archived, redis: admin && (await dumpRedis(admin, refs)) });
  }
  return { generation, partitions: admins.length, logs, ...tables };
}

/** Waits until nothing moves: every stream ends at its cursor and stays there. True when that was so by the deadline. */
export async function awaitRest(sources: StateSources, deadlineMs: number): Promise<boolean> {
  let quiet = 0;
  let before = '';
  while (Date.now() < deadlineMs) {
    const { isDrained, mark } = await look(sources).catch(() => ({ isDrained: false, mark: '' }));
    quiet = isDrained && mark === before ? quiet + 1 : 0;
    if (quiet >= QUIET_LOOKS) return true;
    before = mark;
    await sleep(POLL_MS);
  }
  return false;
}

async function look({
  sql,
  generation,
  admins,
}: StateSources): Promise<{ isDrained: boolean; mark: string }> {
  const rows = await sql<{ partition: number; seq: string }[]>`
    SELECT partition, seq FROM ledger_cursor WHERE generation = ${generation}`;
  const [{ moving = 0 } = {}] = await sql<{ moving: number }[]>`
    SELECT (SELECT count(*) FROM event_inbox WHERE next_attempt_at IS NOT NULL AND state <> 'waiting')::integer
      + (SELECT count(*) FROM definition_outbox)::integer AS moving`;
  const ends = await Promise.all(admins.map((admin) => admin.lastSeq()));
  const isDrained =
    moving === 0 &&
    ends.every((end, partition) =>
      rows.some((row) => row.partition === partition && Number(row.seq) === (end ?? -1)),
    );
  return { isDrained, mark: ends.join() };
}

/** One look at every cursor, for the history; none when Postgres does not answer. */
export async function lookAtCursors(sql: Sql): Promise<CursorLook[]> {
  const rows = await sql<
    { generation: number; partition: number; seq: string; epoch: string; owner: string | null }[]
  >`
    SELECT generation, partition, seq, epoch, owner FROM ledger_cursor ORDER BY generation, partition`.catch(
    () => [],
  );
  return rows.map((row) => ({
    kind: 'cursor',
    at: Date.now(),
    generation: row.generation,
    partition: row.partition,
    seq: Number(row.seq),
    epoch: Number(row.epoch),
    owner: row.owner ?? '',
  }));
}
