/**
 * What is written down about one run. Runs of jobs with a cron line, and those staff asked for, are written when they begin.
 * A job that runs all the time would fill the table with runs that did nothing: of those only the ones that counted
 * something, failed or take long are kept, and now and then one as a sign of life.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/client.ts';
import type { JobCounts } from './job.ts';
import { PROGRESS_MS, SETTLE_PAUSE_MS, SHOWN_AFTER_MS, STATEMENT_MS } from './limits.ts';
import {
  beginRequested,
  beginRun,
  endRun,
  type RunEnd,
  type RunRequest,
  type RunStart,
  recordRun,
  writeProgress,
} from './store/runs.ts';

/** How runs are written down. */
export interface RunRecordPorts {
  readonly sql: Sql;
  readonly nowMs: () => number;
}

/** The record of one run. */
export class RunRecord {
  private readonly ports: RunRecordPorts;
  private readonly start: RunStart;
  private id: string | undefined;
  private shown: NodeJS.Timeout | undefined;
  private beginning: Promise<void> | undefined;
  private written: Promise<void> = Promise.resolve();
  private progressAtMs = 0;

  constructor(ports: RunRecordPorts, start: RunStart) {
    this.ports = ports;
    this.start = start;
  }

  /** Writes the run down now; false when it must not begin: another process leads, or a run is under way. */
  async begin(request: RunRequest | undefined): Promise<boolean> {
    const { sql } = this.ports;
    if (request === undefined) {
      this.id = await beginRun(sql, this.start, this.deadline());
      return this.id !== undefined;
    }
    this.id = request.id;
    return await beginRequested(sql, request.id, this.start, this.deadline());
  }

  /** Writes the run down only if it turns out to take long. */
  beginWhenLong(): void {
    this.shown = setTimeout(() => {
      this.beginning = beginRun(this.ports.sql, this.start, this.deadline()).then(
        (id) => {
          this.id = id;
        },
        () => {},
      );
    }, SHOWN_AFTER_MS);
  }

  /** Notes the counts so far; not every time, and never in the way of the run. */
  progress(counts: JobCounts): void {
    const { sql, nowMs } = this.ports;
    const { id } = this;
    if (id === undefined || nowMs() < this.progressAtMs + PROGRESS_MS) return;
    this.progressAtMs = nowMs();
    this.written = this.written.then(() => writeProgress(sql, id, counts, this.deadline())).catch(() => {});
  }

  /**
   * Writes down how it ended, again and again until Postgres has it or `signal` is aborted; then the next leader gives the
   * run up. `isKept`: also when nothing was written before.
   */
  async end(end: RunEnd, isKept: boolean, signal: AbortSignal): Promise<void> {
    clearTimeout(this.shown);
    await this.beginning;
    await this.written;
    while ((this.id !== undefined || isKept) && !(await this.settle(end))) {
      if (signal.aborted) return;
      await sleep(SETTLE_PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  }

  private async settle(end: RunEnd): Promise<boolean> {
    const { sql } = this.ports;
    const statement =
      this.id === undefined
        ? recordRun(sql, this.start, end, this.deadline())
        : endRun(sql, this.id, end, this.deadline());
    return await statement.then(
      () => true,
      () => false,
    );
  }

  private deadline(): number {
    return this.ports.nowMs() + STATEMENT_MS;
  }
}
