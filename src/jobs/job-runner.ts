/** One job in the hands of the leader: knows when it is due, makes one run at a time, counts and writes down each. */
import { Refusal } from '../domain/refusal.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Tracer, tracedRoot } from '../telemetry/tracing/tracer.ts';
import type { Job, JobCounts } from './job.ts';
import { CRON_RETRY_MS, ERROR_LENGTH, EVERY_RETRY_MS, SIGN_OF_LIFE_MS, STATEMENT_MS } from './limits.ts';
import { nextRunMs } from './next-run.ts';
import { RunRecord, type RunRecordPorts } from './run-record.ts';
import { setNextRun } from './store/catalogue.ts';
import type { RunEnd, RunRequest } from './store/runs.ts';

/** What runs need. */
export interface RunnerPorts extends RunRecordPorts {
  readonly metrics: Pick<Metrics, 'jobRuns' | 'jobLastSuccess' | 'jobSeconds' | 'jobNextRun'>;
  readonly logger: Logger;
  /** Absent: no run is traced. */
  readonly tracer?: Tracer | undefined;
}

/** The lead under which runs are made; its signal is aborted when it ends. */
export interface Lead {
  readonly epoch: number;
  readonly signal: AbortSignal;
}

const MS_PER_SECOND = 1_000;

/** Makes the runs of one job during one lead. */
export class JobRunner {
  readonly job: Job;
  private readonly ports: RunnerPorts;
  private readonly lead: Lead;
  private dueAtMs: number;
  private failures = 0;
  private signOfLifeAtMs = 0;
  private running: Promise<void> | undefined;

  /** `dueAtMs`: the stored time of the next run; undefined = now, for jobs that run all the time. */
  constructor(job: Job, ports: RunnerPorts, lead: Lead, dueAtMs: number | undefined) {
    this.job = job;
    this.ports = ports;
    this.lead = lead;
    this.dueAtMs = dueAtMs ?? ports.nowMs();
    this.showNextRun();
  }

  /** Begins a run if one was asked for or is due, and none is under way. */
  consider(request: RunRequest | undefined): void {
    const isDue = this.job.isEnabled && this.ports.nowMs() >= this.dueAtMs;
    if (this.running !== undefined || (request === undefined && !isDue)) return;
    this.running = this.make(request)
      .catch((error: unknown) => this.report(error))
      .finally(() => {
        this.running = undefined;
      });
  }

  /** Kept when no run is under way. */
  async idle(): Promise<void> {
    await this.running;
  }

  private async make(request: RunRequest | undefined): Promise<void> {
    const startedAtMs = this.ports.nowMs();
    const scheduledAtMs = request?.scheduledAtMs ?? this.dueAtMs;
    const nextRunAtMs = request === undefined ? this.nextAfter(startedAtMs) : undefined;
    const start = { job: this.job.name, epoch: this.lead.epoch, scheduledAtMs, startedAtMs, nextRunAtMs };
    const record = new RunRecord(this.ports, start);
    const isWritten = request !== undefined || this.job.times.kind === 'cron';
    if (!isWritten) record.beginWhenLong();
    else if (!(await record.begin(request))) return;
    if (nextRunAtMs !== undefined) this.dueAtMs = nextRunAtMs;
    const end = await this.run(record, startedAtMs);
    await record.end(end, this.isKept(end), this.lead.signal);
    await this.planNext(end, request !== undefined);
  }

  private async run(record: RunRecord, startedAtMs: number): Promise<RunEnd> {
    let counts: JobCounts = {};
    const progress = (soFar: JobCounts): void => {
      counts = soFar;
      record.progress(soFar);
    };
    try {
      const context = { signal: this.lead.signal, nowMs: startedAtMs, progress };
      const start = { name: `job ${this.job.name}`, kind: 'internal', attributes: {} } as const;
      counts = await tracedRoot(this.ports.tracer, start, () => this.job.run(context));
      return this.ended('done', startedAtMs, counts, '');
    } catch (error) {
      this.report(error);
      return this.ended('failed', startedAtMs, counts, errorText(error));
    }
  }

  private ended(state: RunEnd['state'], startedAtMs: number, counts: JobCounts, error: string): RunEnd {
    const { metrics, nowMs, logger } = this.ports;
    const { name, times } = this.job;
    const finishedAtMs = nowMs();
    metrics.jobRuns.child(name, state).value += 1;
    metrics.jobSeconds.child(name).observe((finishedAtMs - startedAtMs) / MS_PER_SECOND);
    if (state === 'done') metrics.jobLastSuccess.child(name).value = finishedAtMs / MS_PER_SECOND;
    if (state === 'done' && (times.kind === 'cron' || didSomething(counts)))
      logger.info({ event: LOG_EVENTS.jobRun, job: name, counts }, 'a job has run');
    return { state, finishedAtMs, counts, error };
  }

  private isKept(end: RunEnd): boolean {
    if (end.state === 'failed') return this.failures === 0;
    if (!didSomething(end.counts) && end.finishedAtMs < this.signOfLifeAtMs + SIGN_OF_LIFE_MS) return false;
    this.signOfLifeAtMs = end.finishedAtMs;
    return true;
  }

  /** A failed run is made again soon; what was asked for by hand changes nothing about the schedule. */
  private async planNext(end: RunEnd, isRequested: boolean): Promise<void> {
    if (isRequested) return;
    this.failures = end.state === 'failed' ? this.failures + 1 : 0;
    const { times, name } = this.job;
    if (times.kind === 'every') {
      const pauseMs = times.everyMs * 2 ** this.failures;
      this.dueAtMs = end.finishedAtMs + Math.min(pauseMs, Math.max(times.everyMs, EVERY_RETRY_MS));
    } else if (end.state === 'failed' && !this.lead.signal.aborted) {
      this.dueAtMs = Math.min(this.dueAtMs, end.finishedAtMs + CRON_RETRY_MS);
      await setNextRun(this.ports.sql, name, this.dueAtMs, this.ports.nowMs() + STATEMENT_MS);
    }
    this.showNextRun();
  }

  private nextAfter(afterMs: number): number | undefined {
    const { times } = this.job;
    return times.kind === 'cron' ? nextRunMs(times.cron, times.timeZone, afterMs) : undefined;
  }

  private showNextRun(): void {
    const { name, times, isEnabled } = this.job;
    if (times.kind === 'cron' && isEnabled)
      this.ports.metrics.jobNextRun.child(name).value = this.dueAtMs / MS_PER_SECOND;
  }

  /** A run that was cut off because the lead ended has not failed by itself. */
  private report(error: unknown): void {
    if (this.lead.signal.aborted || this.failures > 0) return;
    const line = { event: LOG_EVENTS.jobFailed, job: this.job.name, err: error };
    this.ports.logger.error(line, 'a job failed; it is tried again');
  }
}

function didSomething(counts: JobCounts): boolean {
  return Object.values(counts).some((count) => count !== 0);
}

/** Refusals say their reason first; nothing but the message is kept. */
function errorText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const text = error instanceof Refusal ? `${error.reason}: ${message}` : message;
  return text.slice(0, ERROR_LENGTH);
}
