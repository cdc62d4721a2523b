/**
 * Runs jobs in one process at a time. Processes ask for the lead; the one that has it makes all runs, and another takes over
 * within seconds when it is gone. A leader that cannot renew ends its runs before the next one may begin them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BackgroundLoop } from '../database/background-loop.ts';
import { LOG_EVENTS } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Job } from './job.ts';
import { JobRunner, type Lead, type RunnerPorts } from './job-runner.ts';
import {
  LEASE_TRUSTED_SHARE,
  RENEWALS_PER_LEASE,
  REQUEST_POLL_MS,
  STANDBY_POLL_MS,
  STATEMENT_MS,
  TICK_MS,
} from './limits.ts';
import { nextRunMs } from './next-run.ts';
import { announceJobs, readLastSuccesses, setNextRun } from './store/catalogue.ts';
import { giveBackLead, renewLead, takeLead } from './store/leader.ts';
import { abandonRuns, type RunRequest, readRequests } from './store/runs.ts';

/** What the scheduler is made of. */
export interface SchedulerPorts extends RunnerPorts {
  readonly jobs: readonly Job[];
  /** Names this process among all that may lead; unique for its life. */
  readonly owner: string;
  /** A leader that has not been heard of for so long (ms) is replaced. */
  readonly leaseMs: number;
  readonly metrics: RunnerPorts['metrics'] & Pick<Metrics, 'jobLeader'>;
}

/** The scheduler of one process. */
export class Scheduler {
  private readonly ports: SchedulerPorts;
  private readonly loop = new BackgroundLoop((signal) => this.tryToLead(signal), STANDBY_POLL_MS);
  private isFailing = false;

  constructor(ports: SchedulerPorts) {
    this.ports = ports;
  }

  /** Begins; returns at once. A Postgres that is away is waited for. */
  start(): void {
    this.loop.start();
  }

  /** Ends the runs under way and gives the lead back. */
  async stop(): Promise<void> {
    await this.loop.stop();
  }

  private async tryToLead(stopping: AbortSignal): Promise<false> {
    try {
      const epoch = await this.take();
      this.isFailing = false;
      if (epoch !== undefined) await this.leadFor(epoch, stopping);
    } catch (error) {
      this.report(error);
    }
    return false;
  }

  private take(): Promise<number | undefined> {
    const { sql, owner, leaseMs } = this.ports;
    return takeLead(sql, owner, leaseMs, this.deadline());
  }

  private async leadFor(epoch: number, stopping: AbortSignal): Promise<void> {
    const { metrics, logger, sql } = this.ports;
    const over = new AbortController();
    const lead: Lead = { epoch, signal: AbortSignal.any([over.signal, stopping]) };
    const keeping = this.keepLead(lead, over);
    metrics.jobLeader.value = 1;
    logger.info({ event: LOG_EVENTS.jobLead, epoch }, 'this process runs the jobs');
    try {
      await this.work(lead);
    } finally {
      over.abort();
      metrics.jobLeader.value = 0;
      await keeping;
      await giveBackLead(sql, epoch, this.deadline()).catch(() => {});
    }
  }

  /** Renews in time; ends the lead when another process has it, or when it could not be renewed for too long. */
  private async keepLead({ epoch, signal }: Lead, over: AbortController): Promise<void> {
    const { sql, leaseMs } = this.ports;
    const everyMs = leaseMs / RENEWALS_PER_LEASE;
    let renewedAtMs = performance.now();
    const trust = setInterval(() => {
      if (performance.now() - renewedAtMs > leaseMs * LEASE_TRUSTED_SHARE) over.abort();
    }, TICK_MS);
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { signal }).catch(() => {});
      const askedAtMs = performance.now();
      const isMine = await renewLead(sql, epoch, leaseMs, this.deadline()).catch(() => undefined);
      if (isMine === true) renewedAtMs = askedAtMs;
      if (isMine === false) over.abort();
    }
    clearInterval(trust);
  }

  private async work(lead: Lead): Promise<void> {
    const runners = await this.prepare(lead);
    let requests: readonly RunRequest[] = [];
    let askAtMs = 0;
    while (!lead.signal.aborted) {
      if (performance.now() >= askAtMs) {
        requests = await this.requests();
        askAtMs = performance.now() + REQUEST_POLL_MS;
      }
      for (const runner of runners) {
        runner.consider(requests.find(({ job }) => job === runner.job.name));
        requests = requests.filter(({ job }) => job !== runner.job.name);
      }
      await sleep(TICK_MS, undefined, { signal: lead.signal }).catch(() => {});
    }
    await Promise.all(runners.map((runner) => runner.idle()));
  }

  private async prepare(lead: Lead): Promise<JobRunner[]> {
    const { sql, jobs, metrics, nowMs } = this.ports;
    const now = nowMs();
    const dueAt = new Map(await announceJobs(sql, jobs, (job) => firstRunMs(job, now), this.deadline()));
    for (const name of await abandonRuns(sql, lead.epoch, this.deadline())) {
      metrics.jobRuns.child(name, 'abandoned').value += 1;
      const isCron = jobs.some((job) => job.name === name && job.times.kind === 'cron' && job.isEnabled);
      if (!isCron) continue;
      await setNextRun(sql, name, now, this.deadline());
      dueAt.set(name, now);
    }
    for (const [name, atMs] of await readLastSuccesses(sql, this.deadline()))
      metrics.jobLastSuccess.child(name).value = atMs / 1_000;
    return jobs.map((job) => new JobRunner(job, this.ports, lead, dueAt.get(job.name)));
  }

  /** What staff asked for; a look that fails is made up for by the next one. */
  private requests(): Promise<RunRequest[]> {
    return readRequests(this.ports.sql, this.deadline()).catch(() => []);
  }

  private deadline(): number {
    return this.ports.nowMs() + STATEMENT_MS;
  }

  /** Logs the change from working to failing, not every attempt. */
  private report(error: unknown): void {
    if (this.isFailing) return;
    this.isFailing = true;
    this.ports.logger.warn({ event: LOG_EVENTS.jobLead, err: error }, 'jobs wait for Postgres');
  }
}

function firstRunMs({ times, isEnabled }: Job, nowMs: number): number | undefined {
  return times.kind === 'cron' && isEnabled ? nextRunMs(times.cron, times.timeZone, nowMs) : undefined;
}
