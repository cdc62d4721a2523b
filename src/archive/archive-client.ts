import { createDatabase, type Sql } from '../database/client.ts';
import { isDatabaseDown } from '../database/database-faults.ts';
import { tracedStatement } from '../database/traced-statement.ts';
import type { ArchiveStore } from './archive-store.ts';
import { type Fence, flushBatch, tryBatch } from './flush.ts';
import {
  ensureCursor,
  giveBackLease,
  type Lease,
  type Level,
  readCursorPayload,
  renewLease,
  takeLease,
} from './lease.ts';
import type { PartitionId, StreamEntry } from './ledger-port.ts';
import { CONNECT_TIMEOUT_MS, STATEMENT_TIMEOUT_MS, STATEMENT_WAIT_MS } from './limits.ts';
import { readLogPayloads } from './log-reader.ts';
import type { FoldedBatch } from './projection.ts';
import { type OpenQuarantine, readOpenQuarantine, reproject } from './quarantine.ts';
import { ensureSegments } from './segments.ts';

/** The archiver stopped waiting: the statement may or may not have been carried out. */
export class UnknownOutcomeError extends Error {
  override readonly name = 'UnknownOutcomeError';
}

/**
 * The archiver's own connection to Postgres: exactly one, so that its statements reach the server in order.
 *
 * Every call has a time-out of its own, because the driver can leave a statement pending for ever when its connection
 * dies, and can answer the next statement with the error of the one before. So after a time-out or a fault of the
 * connection a new one is made; what became of the statement is unknown and the caller reads the cursor again.
 */
export class ArchiveClient implements ArchiveStore {
  private readonly url: string;
  private readonly waitMs: number;
  private sql: Sql;

  constructor(url: string, waitMs: number = STATEMENT_WAIT_MS) {
    this.url = url;
    this.waitMs = waitMs;
    this.sql = this.connect();
  }

  /** Runs one statement. Throws the driver's error, or {@link UnknownOutcomeError} when it did not answer in time. */
  async run<Result>(statement: (sql: Sql) => PromiseLike<Result>): Promise<Result> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(new UnknownOutcomeError(`Postgres did not answer within ${this.waitMs} ms`));
      this.replace();
    }, this.waitMs);
    try {
      return await tracedStatement(() => Promise.race([statement(this.sql), late]));
    } catch (error) {
      if (isDatabaseDown(error)) this.replace();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async ensureCursor(id: PartitionId): Promise<void> {
    await this.run((sql) => ensureCursor(sql, id));
  }

  takeLease(id: PartitionId, owner: string, leaseMs: number): Promise<Lease | undefined> {
    return this.run((sql) => takeLease(sql, id, owner, leaseMs));
  }

  renewLease(
    id: PartitionId,
    epoch: number,
    leaseMs: number,
    level: Level | undefined,
  ): Promise<Lease | undefined> {
    return this.run((sql) => renewLease(sql, id, epoch, leaseMs, level));
  }

  async giveBackLease(id: PartitionId, epoch: number): Promise<void> {
    await this.run((sql) => giveBackLease(sql, id, epoch));
  }

  readCursorPayload(id: PartitionId): Promise<Buffer | undefined> {
    return this.run((sql) => readCursorPayload(sql, id));
  }

  readLog(id: PartitionId, after: number, limit: number): Promise<StreamEntry[]> {
    return this.run((sql) => readLogPayloads(sql, id, after, limit));
  }

  flush(fence: Fence, batch: FoldedBatch): Promise<boolean> {
    return flushBatch(this, fence, batch);
  }

  tryFlush(fence: Fence, batch: FoldedBatch): Promise<string | undefined> {
    return tryBatch(this, fence, batch);
  }

  readOpenQuarantine(id: PartitionId): Promise<OpenQuarantine> {
    return this.run((sql) => readOpenQuarantine(sql, id));
  }

  reproject(fence: Fence): Promise<number> {
    return reproject(this, fence);
  }

  async ensureSegments(id: PartitionId, seq: number, nowMs: number): Promise<void> {
    await ensureSegments((statement) => this.run(statement), id, seq, nowMs);
  }

  /** Ends the connection; a statement still under way is cut off. */
  async close(): Promise<void> {
    await this.sql.end({ timeout: 1 });
  }

  private replace(): void {
    const abandoned = this.sql;
    this.sql = this.connect();
    abandoned.end({ timeout: 0 }).catch(() => {});
  }

  private connect(): Sql {
    return createDatabase(this.url, {
      applicationName: 'hongbao archive',
      maxConnections: 1,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
    });
  }
}
