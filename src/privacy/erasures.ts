/**
 * Erases users: first the wish is written down, then the ledger forgets, then Postgres. A crash in between is made up for by
 * the job; every step may be repeated.
 */

import { type Sql, withDeadline } from '../database/client.ts';
import { violatedUniqueConstraint } from '../database/database-faults.ts';
import { Refusal } from '../domain/refusal.ts';
import { forgetUserFacts } from '../events/user-facts-table.ts';
import type { Job, JobContext, JobCounts } from '../jobs/job.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import { type ForgetPorts, forgetInLedger } from './forget-ledger.ts';
import { ERASE_EVERY_MS, ERASURES_PER_RUN, STEP_MS } from './limits.ts';

/** What erasing needs. */
export interface ErasurePorts {
  readonly sql: Sql;
  readonly ledger: ForgetPorts;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** Whom to erase, by which request, who asks and why. */
export interface ErasureOrder {
  readonly userId: string;
  readonly requestId: string;
  readonly actor: string;
  readonly reason: string;
}

/** An erased user. */
export interface Erased {
  readonly erasedAtMs: number;
  /** The user was erased before. */
  readonly isReplay: boolean;
}

interface ErasureRow {
  readonly user_id: string;
  readonly erased_at: Date | null;
}

/**
 * Erases a user: when it returns, nothing about the user can be read and nobody can give the user anything. What an unpaid
 * order still holds is revoked when the order lets it go. Throws REQUEST_ID_REUSED, LEDGER_*, ARCHIVE_UNAVAILABLE,
 * DEADLINE_EXCEEDED; the same call, or the job, then finishes it.
 */
export async function eraseUser(
  ports: ErasurePorts,
  order: ErasureOrder,
  deadlineMs: number,
): Promise<Erased> {
  await writeDown(ports.sql, order, deadlineMs);
  const before = await readErasure(ports.sql, order.userId, deadlineMs);
  const done = await carryOut(ports, order.userId, deadlineMs);
  return { erasedAtMs: done, isReplay: (before?.erased_at ?? null) !== null };
}

/** When a user was erased, ms since the epoch; undefined when the user was not. */
export async function erasureOf(sql: Sql, userId: string, deadlineMs: number): Promise<number | undefined> {
  return (await readErasure(sql, userId, deadlineMs))?.erased_at?.getTime();
}

/** Makes the job that finishes erasures which were cut off, or wait for an order. */
export function createEraseUsersJob(ports: ErasurePorts): Job {
  return {
    name: 'erase-users',
    description: 'Finishes erasing users where that was cut off, or an order still held something.',
    times: { kind: 'every', everyMs: ERASE_EVERY_MS },
    isEnabled: true,
    run: (context) => finishErasures(ports, context),
  };
}

async function finishErasures(ports: ErasurePorts, { signal, progress }: JobContext): Promise<JobCounts> {
  const rows = ports.sql<{ user_id: string }[]>`
    SELECT user_id FROM erasure WHERE completed_at IS NULL ORDER BY requested_at LIMIT ${ERASURES_PER_RUN}`;
  const open = await withDeadline(rows, ports.nowMs() + STEP_MS);
  let completed = 0;
  for (const { user_id } of open) {
    if (signal.aborted) break;
    await carryOut(ports, user_id, ports.nowMs() + STEP_MS);
    completed += (await isComplete(ports, user_id)) ? 1 : 0;
    progress({ completed });
  }
  return { completed };
}

async function carryOut(
  { sql, ledger, logger }: ErasurePorts,
  userId: string,
  deadlineMs: number,
): Promise<number> {
  const { erasedAtMs, held } = await forgetInLedger(ledger, userId, deadlineMs);
  await forgetRows(sql, userId, deadlineMs);
  await forgetUserFacts(sql, userId, deadlineMs);
  const rows = sql`
    UPDATE erasure SET erased_at = coalesce(erased_at, ${new Date(erasedAtMs)}),
      completed_at = coalesce(completed_at, ${held === 0 ? sql`now()` : null})
    WHERE user_id = ${userId} AND completed_at IS NULL RETURNING completed_at`;
  const [changed] = await withDeadline(rows, deadlineMs);
  if (changed !== undefined) logger.info({ event: LOG_EVENTS.userErased, held }, 'a user was erased');
  return erasedAtMs;
}

async function writeDown(sql: Sql, order: ErasureOrder, deadlineMs: number): Promise<void> {
  const { userId, requestId, actor, reason } = order;
  try {
    await withDeadline(
      sql`
        INSERT INTO erasure (user_id, request_id, actor, reason) VALUES (${userId}, ${requestId}, ${actor}, ${reason})
        ON CONFLICT (user_id) DO NOTHING`,
      deadlineMs,
    );
  } catch (error) {
    if (violatedUniqueConstraint(error) !== 'erasure_request_is_unique') throw error;
    throw new Refusal('REQUEST_ID_REUSED', 'The request id was used for another user');
  }
}

/**
 * Everything in Postgres that tells more than that there was somebody with this id. Events of the shop that were not settled
 * are: there is nobody left they could be about.
 */
async function forgetRows(sql: Sql, userId: string, deadlineMs: number): Promise<void> {
  const statement = sql`
    WITH profile AS (DELETE FROM user_profile WHERE user_id = ${userId}),
      letters AS (DELETE FROM dead_letter WHERE user_id = ${userId}),
      events AS (
        UPDATE event_inbox SET payload = NULL, state = 'ignored', next_attempt_at = NULL, settled_at = now(),
          effects = coalesce(effects, '')
        WHERE user_id = ${userId} AND settled_at IS NULL
      )
    SELECT 1`;
  await withDeadline(statement, deadlineMs);
}

async function readErasure(sql: Sql, userId: string, deadlineMs: number): Promise<ErasureRow | undefined> {
  const rows = sql<ErasureRow[]>`SELECT user_id, erased_at FROM erasure WHERE user_id = ${userId}`;
  return (await withDeadline(rows, deadlineMs))[0];
}

async function isComplete({ sql, nowMs }: ErasurePorts, userId: string): Promise<boolean> {
  const rows = sql`SELECT FROM erasure WHERE user_id = ${userId} AND completed_at IS NOT NULL`;
  return (await withDeadline(rows, nowMs() + STEP_MS)).length > 0;
}
