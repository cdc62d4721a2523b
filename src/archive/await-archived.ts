/** Waits a little until the archive has what the ledger has, for answers that join both. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Sql, withDeadline } from '../database/client.ts';
import type { PartitionId } from './ledger-port.ts';

/** Longest wait, in milliseconds: the archive is usually some tens behind. */
const WAIT_MS = 1_000;
const POLL_MS = 25;

/**
 * True as soon as entry `seq` is archived; false when it is not within a second or half of the time left. Throws
 * ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED.
 */
export async function awaitArchived(
  sql: Sql,
  { generation, partition }: PartitionId,
  seq: number,
  clock: { readonly nowMs: () => number; readonly deadlineMs: number },
): Promise<boolean> {
  const startMs = clock.nowMs();
  const untilMs = startMs + Math.min(WAIT_MS, (clock.deadlineMs - startMs) / 2);
  for (;;) {
    const rows = sql<{ seq: string }[]>`
      SELECT seq FROM ledger_cursor WHERE generation = ${generation} AND partition = ${partition}`;
    const [row] = await withDeadline(rows, clock.deadlineMs);
    if (row !== undefined && Number(row.seq) >= seq) return true;
    if (clock.nowMs() + POLL_MS > untilMs) return false;
    await sleep(POLL_MS);
  }
}
