/** The part of the archive role that runs jobs: a client of the ledger, the promotions in force, and the scheduler. */
import { randomBytes } from 'node:crypto';
import type { ArchivePlaces } from '../archive/places.ts';
import { createCodes } from '../codes/codes.ts';
import type { Config } from '../config/config.ts';
import { createDatabase, type Sql } from '../database/client.ts';
import { createDefineMissing } from '../definitions/define-missing.ts';
import type { DefinitionPorts } from '../definitions/definition-ports.ts';
import { archiveProgress } from '../definitions/store/archive-progress.ts';
import { Refusal } from '../domain/refusal.ts';
import type { EventPorts } from '../events/event-ports.ts';
import { orderEndings } from '../events/order-endings.ts';
import { Scheduler } from '../jobs/scheduler.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { PartitionConnections } from '../ledger/partition-connection.ts';
import { ledgerSettings } from '../ledger-settings.ts';
import { createOutbound } from '../outbound.ts';
import { Points } from '../points/points.ts';
import { orderArchive } from '../redemption/hydrate-order.ts';
import { Redemptions } from '../redemption/redemptions.ts';
import { PromotionBook } from '../ruleset/promotion-book.ts';
import { RuleSetKeeper } from '../ruleset/rule-set-keeper.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { allJobs, type JobParts } from './job-list.ts';

/** What the worker is made of. */
export interface JobWorkerPorts {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Connections for small things beside the ledger's own. */
  readonly connections: PartitionConnections;
  readonly places: ArchivePlaces;
  /** Names this process among all; unique for its life. */
  readonly owner: string;
  readonly nowMs: () => number;
}

/** Connections of the jobs; the scheduler has its own, so that its lease never waits behind a job. */
const JOB_CONNECTIONS = 6;
const SCHEDULER_CONNECTIONS = 2;
/** How long the start waits for Redis before it goes on without. */
const LEDGER_START_MS = 2_000;
const PROMOTION_ID_BYTES = 8;

/** Runs the jobs of this process while it leads. */
export class JobWorker {
  private readonly ports: JobWorkerPorts;
  private readonly sql: Sql;
  private readonly schedulerSql: Sql;
  private readonly ledger: Ledger;
  private readonly keeper: RuleSetKeeper;
  private readonly scheduler: Scheduler;

  constructor(ports: JobWorkerPorts) {
    const { config, metrics, logger, owner, nowMs } = ports;
    this.ports = ports;
    this.sql = this.openPool('hongbao-jobs', JOB_CONNECTIONS);
    this.schedulerSql = this.openPool('hongbao-scheduler', SCHEDULER_CONNECTIONS);
    this.ledger = new Ledger({
      settings: ledgerSettings(config),
      metrics,
      logger,
      defineMissing: (ref) => defineMissing(ref),
      nowMs,
    });
    const definitions = this.definitionPorts();
    const defineMissing = createDefineMissing(definitions, nowMs);
    this.keeper = this.ruleSetKeeper(definitions);
    const jobs = allJobs(this.jobParts(definitions));
    const { leaseMs } = config.jobs;
    this.scheduler = new Scheduler({ sql: this.schedulerSql, jobs, owner, leaseMs, metrics, logger, nowMs });
  }

  /** Begins; stores that are away are waited for. No job runs before the promotions in force are known. */
  async start(): Promise<void> {
    await this.ledger.start(LEDGER_START_MS);
    await this.keeper.start();
    this.scheduler.start();
  }

  /** Ends the runs under way and closes everything. */
  async stop(): Promise<void> {
    await this.keeper.stop();
    await this.scheduler.stop();
    await this.ledger.close();
    await Promise.all([this.sql.end({ timeout: 1 }), this.schedulerSql.end({ timeout: 1 })]);
  }

  private openPool(applicationName: string, maxConnections: number): Sql {
    const { url, statementTimeoutMs, connectTimeoutMs } = this.ports.config.database;
    return createDatabase(url, { applicationName, maxConnections, statementTimeoutMs, connectTimeoutMs });
  }

  private definitionPorts(): DefinitionPorts {
    const { ledger } = this;
    return {
      sql: this.sql,
      ledger: {
        define: (definition, deadlineMs) => ledger.define(definition, deadlineMs),
        readStock: (refs, deadlineMs) => ledger.read(deadlineMs, (reads) => reads.stock(refs, undefined)),
        readDefinitionBodies: (deadlineMs) => ledger.read(deadlineMs, (reads) => reads.definitionBodies()),
      },
      archive: archiveProgress(this.sql),
      newPromotionId: () => `p-${randomBytes(PROMOTION_ID_BYTES).toString('hex')}`,
    };
  }

  private ruleSetKeeper({ ledger }: DefinitionPorts): RuleSetKeeper {
    const { config, metrics, logger, nowMs } = this.ports;
    const { url, statementTimeoutMs, connectTimeoutMs } = config.database;
    const options = { applicationName: 'hongbao-job-rules', statementTimeoutMs, connectTimeoutMs };
    return new RuleSetKeeper({
      sql: this.sql,
      openListener: (events) => createDatabase(url, { ...options, maxConnections: 1, ...events }),
      ledger,
      metrics,
      logger,
      pollMs: config.ruleSet.pollMs,
      nowMs,
    });
  }

  private jobParts(definitions: DefinitionPorts): JobParts {
    const { config, metrics, logger, connections, places, nowMs } = this.ports;
    const { sql, ledger, keeper } = this;
    const settings = config.codes;
    const book = new PromotionBook(keeper, sql);
    const codes = createCodes({ sql, ledger, connections, rules: keeper, settings, logger, nowMs });
    const outbound = createOutbound(config, { sql, places, metrics, nowMs });
    const events: EventPorts = {
      sql,
      ledger,
      rules: keeper,
      points: new Points({ ledger, settings: config.points, metrics }),
      orders: orderEndings(
        new Redemptions({ ledger, codes: codes.book, promotions: book, evaluate: neverEvaluates, metrics }),
        { ledger, archive: orderArchive({ sql, places, ledger }), promotions: book, metrics },
      ),
      profiles: outbound.profiles,
      metrics,
      logger,
      settings: config.events,
      nowMs,
    };
    return {
      config,
      sql,
      places,
      ledger,
      definitions,
      book,
      codes,
      events,
      outbound,
      metrics,
      logger,
      nowMs,
    };
  }
}

/** Jobs end orders; they never make one, so no cart is decided on here. */
function neverEvaluates(): Promise<never> {
  return Promise.reject(new Refusal('INTERNAL', 'Jobs do not decide on carts'));
}
