/** The part of the archive role that runs jobs: a client of the ledger, the promotions in force, and the scheduler. */
import type { Sql } from '../database/client.ts';
import { Refusal } from '../domain/refusal.ts';
import { orderEndings } from '../events/order-endings.ts';
import { Scheduler } from '../jobs/scheduler.ts';
import { Redemptions } from '../redemption/redemptions.ts';
import type { RuleSetKeeper } from '../ruleset/rule-set-keeper.ts';
import { keepRules, LEDGER_START_MS, openPool, openStores, type Stores } from '../stores.ts';
import { createSubsystems, type SubsystemPorts } from '../subsystems.ts';
import { allJobs, type JobParts } from './job-list.ts';

/** What the worker is made of. */
export interface JobWorkerPorts extends SubsystemPorts {
  /** Names this process among all; unique for its life. */
  readonly owner: string;
}

/** Connections of the jobs; the scheduler has its own, so that its lease never waits behind a job. */
const JOB_CONNECTIONS = 6;
const SCHEDULER_CONNECTIONS = 2;

/** Runs the jobs of this process while it leads. */
export class JobWorker {
  private readonly ports: JobWorkerPorts;
  private readonly schedulerSql: Sql;
  private readonly stores: Stores;
  private readonly keeper: RuleSetKeeper;
  private readonly scheduler: Scheduler;

  constructor(ports: JobWorkerPorts) {
    const { config, metrics, logger, tracer, owner, nowMs } = ports;
    this.ports = ports;
    this.schedulerSql = openPool(ports, 'hongbao-scheduler', SCHEDULER_CONNECTIONS);
    this.stores = openStores(ports, openPool(ports, 'hongbao-jobs', JOB_CONNECTIONS));
    this.keeper = keepRules(ports, this.stores, 'hongbao-job-rules');
    const jobs = allJobs(this.jobParts());
    const { leaseMs } = config.jobs;
    const own = { sql: this.schedulerSql, jobs, owner, leaseMs };
    this.scheduler = new Scheduler({ ...own, metrics, logger, tracer, nowMs });
  }

  /** Begins; stores that are away are waited for. No job runs before the promotions in force are known. */
  async start(): Promise<void> {
    await this.stores.ledger.start(LEDGER_START_MS);
    await this.keeper.start();
    this.scheduler.start();
  }

  /** Ends the runs under way and closes everything. */
  async stop(): Promise<void> {
    await this.keeper.stop();
    await this.scheduler.stop();
    await this.stores.ledger.close();
    await Promise.all([this.stores.sql.end({ timeout: 1 }), this.schedulerSql.end({ timeout: 1 })]);
  }

  private jobParts(): JobParts {
    const { ports, stores } = this;
    const { ledger } = stores;
    const { metrics } = ports;
    const subsystems = createSubsystems(ports, stores, this.keeper);
    const { book, codes, orders: archive, events } = subsystems;
    const redemptions = new Redemptions({
      ledger,
      codes: codes.book,
      promotions: book,
      evaluate: neverEvaluates,
      metrics,
    });
    const orders = orderEndings(redemptions, { ledger, archive, promotions: book, metrics });
    return { ...ports, ...stores, ...subsystems, events: { ...events, orders } };
  }
}

/** Jobs end orders; they never make one, so no cart is decided on here. */
function neverEvaluates(): Promise<never> {
  return Promise.reject(new Refusal('INTERNAL', 'Jobs do not decide on carts'));
}
