/** The composition root of the serving role: configuration in, an application out that starts and stops. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ArchiveWatch } from './archive/archive-watch.ts';
import { learnGeneration } from './archive/learn-generation.ts';
import { ArchivePlaces } from './archive/places.ts';
import { bindings } from './bindings.ts';
import type { Config } from './config/config.ts';
import { Outbox } from './definitions/outbox.ts';
import { Evaluator } from './evaluation/evaluator.ts';
import { handlerDependencies } from './handler-parts.ts';
import { PartitionConnections } from './ledger/partition-connection.ts';
import { ledgerConnection } from './ledger-settings.ts';
import { loadHistory } from './ruleset/load-history.ts';
import type { RuleSetFollower, RuleSetKeeper } from './ruleset/rule-set-keeper.ts';
import { keepRules, LEDGER_START_MS, openPool, openStores, type Process, type Stores } from './stores.ts';
import { createSubsystems, type Subsystems } from './subsystems.ts';
import { LOG_EVENTS, type Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { Tracer } from './telemetry/tracing/tracer.ts';
import { LimitHints } from './transport/limit-hints.ts';
import { HINT_READ_MS } from './transport/limits.ts';
import type { LiveSources, LookUpCodes } from './transport/live-sources.ts';
import { SERVICES } from './transport/services.ts';
import { type Addresses, createTransport, type Transport } from './transport/transport.ts';
import { WatchedPromotions } from './transport/watched-promotions.ts';

/** How long a start waits for promotions before it opens its ports without them. */
const RULES_START_MS = 5_000;

/** What an application is made of beside its configuration. */
export interface AppDependencies {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Absent: nothing is traced. Whoever brings it stops it. */
  readonly tracer?: Tracer | undefined;
  readonly clock?: () => number;
}

/** A serving process. */
export interface App {
  /**
   * Opens the ports once worker threads have a rule set, or some seconds later without one: then it is not ready. Stores that are
   * away are waited for by the calls that need them.
   */
  start(): Promise<Addresses>;
  /** Leaves without failing a call, then closes everything. */
  stop(): Promise<void>;
}

class Serving implements App {
  private readonly process: Process;
  private readonly places: ArchivePlaces;
  private readonly stopping = new AbortController();
  private readonly rulesInForce = Promise.withResolvers<void>();
  private readonly archiveWatch: ArchiveWatch;
  private readonly stores: Stores;
  private readonly evaluator: Evaluator;
  private readonly live: LiveSources;
  private readonly keeper: RuleSetKeeper;
  /** Counts who tries codes. */
  private readonly guessing: PartitionConnections;
  private readonly subsystems: Subsystems;
  private readonly outbox: Outbox;
  private readonly transport: Transport;

  constructor({ clock: nowMs = Date.now, ...deps }: AppDependencies) {
    const { config, metrics, logger } = deps;
    this.process = { ...deps, nowMs };
    this.places = new ArchivePlaces(undefined, config.ledger.partitions);
    const sql = openPool(deps, 'hongbao-serve', config.database.maxConnections);
    this.archiveWatch = new ArchiveWatch({ sql, generation: () => this.places.generation, nowMs });
    this.stores = openStores(this.process, sql, this.archiveWatch);
    this.live = this.liveSources();
    this.evaluator = new Evaluator({
      settings: config.evaluation,
      metrics,
      logger,
      replayTimeoutMs: config.limits.maxDeadlineMs,
      loadRules: (version, deadlineMs) => loadHistory(sql, version, deadlineMs),
    });
    this.keeper = keepRules(this.process, this.stores, 'hongbao-rule-set', this.ruleSetFollower());
    this.guessing = this.connectGuessing();
    const shared = { ...this.process, connections: this.guessing, places: this.places };
    this.subsystems = createSubsystems(shared, this.stores, this.keeper);
    const pending = metrics.definitionOutboxPending;
    this.outbox = new Outbox({ ...this.stores.definitions, logger, pending, nowMs });
    this.transport = this.servers();
  }

  async start(): Promise<Addresses> {
    const stores = [
      this.stores.ledger.start(LEDGER_START_MS),
      this.guessing.start(LEDGER_START_MS),
      this.joinLedger(),
    ];
    await Promise.all(stores);
    void this.keeper.start();
    // Clients that reconnect by themselves come as soon as a port is open, and look at no readiness.
    await Promise.race([this.rulesInForce.promise, sleep(RULES_START_MS, undefined, { ref: false })]);
    const addresses = await this.transport.start();
    this.outbox.start();
    this.process.logger.info({ event: LOG_EVENTS.serviceStarted, ...addresses }, 'serving');
    return addresses;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.transport.drain();
    await this.outbox.stop();
    await this.keeper.stop();
    await this.evaluator.close();
    await this.stores.ledger.close();
    this.guessing.close();
    await this.stores.sql.end({ timeout: 1 });
    await this.transport.stop();
    this.process.logger.info({ event: LOG_EVENTS.serviceStopped }, 'stopped');
  }

  /** While Postgres is away the archive cannot be read either, and until it has answered is not: a start need not wait for it for long. */
  private async joinLedger(): Promise<void> {
    const { sql } = this.stores;
    const { logger } = this.process;
    const learning = learnGeneration({ sql, logger }, this.places, this.stopping.signal);
    learning.catch((error: unknown) =>
      logger.error({ event: LOG_EVENTS.ledgerGeneration, err: error }, 'the ledger is of another shape'),
    );
    await Promise.race([learning, sleep(LEDGER_START_MS)]);
  }

  private connectGuessing(): PartitionConnections {
    const { config, logger } = this.process;
    return new PartitionConnections(ledgerConnection(config), 'hongbao-guessing', (error) =>
      logger.warn({ event: LOG_EVENTS.ledgerConnection, cause: error.message }, 'no connection'),
    );
  }

  private liveSources(): LiveSources {
    const { stores, process } = this;
    const { ledger } = stores;
    const watched = new WatchedPromotions();
    const hints = new LimitHints({
      limited: watched.limited,
      readCounters: (asks) => ledger.read(process.nowMs() + HINT_READ_MS, (reads) => reads.counters(asks)),
      nowMs: () => ledger.nowMs(),
    });
    const lookUpCodes: LookUpCodes = (codes, deadlineMs) =>
      this.subsystems.codes.book.lookUp(codes, deadlineMs);
    return { watched, hints, lookUpCodes };
  }

  /** Ready means that worker threads have the rules. */
  private ruleSetFollower(): RuleSetFollower {
    const { evaluator } = this;
    const { watched } = this.live;
    return {
      takeChanges: (changes) => {
        watched.follow(changes, this.keeper.current);
        evaluator.takeChanges(changes);
      },
      replaceRules: async (rules) => {
        watched.replace(this.keeper.current.entries());
        await evaluator.replaceRules(rules);
        this.rulesInForce.resolve();
        this.transport.updateHealth();
      },
    };
  }

  private servers(): Transport {
    const { process, stores, places, keeper, evaluator, live, subsystems, archiveWatch: archived } = this;
    const { config, metrics, logger, tracer, nowMs: clock } = process;
    const parts = { ...process, stores, places, keeper, evaluator, live, subsystems, archived };
    return createTransport({
      config,
      metrics,
      logger,
      tracer,
      services: SERVICES,
      bindings: bindings(handlerDependencies(parts)),
      isReady: () => keeper.isLoaded && evaluator.isReady,
      endStreams: () => subsystems.outbound.eventStreams.close(),
      details: () => ({
        durability: stores.ledger.durability,
        ruleSet: { version: keeper.current.version, promotions: keeper.current.size },
      }),
      clock,
    });
  }
}

/** Puts a serving process together; nothing runs before `start`. */
export function createApp(deps: AppDependencies): App {
  return new Serving(deps);
}
