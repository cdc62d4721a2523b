/** The composition root of the serving role: configuration in, an application out that starts and stops. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArchiveWatch } from './archive/archive-watch.ts';
import { awaitArchived } from './archive/await-archived.ts';
import { readCouponChanges } from './archive/coupon-history.ts';
import { FIRST_GENERATION } from './archive/generation.ts';
import { learnGeneration } from './archive/learn-generation.ts';
import { ArchivePlaces } from './archive/places.ts';
import { readPointsEntries } from './archive/points-entries.ts';
import { bindings } from './bindings.ts';
import { type Codes, createCodes } from './codes/codes.ts';
import type { Config } from './config/config.ts';
import { createDatabase, type Sql } from './database/client.ts';
import { createDefineMissing } from './definitions/define-missing.ts';
import type { DefinitionPorts } from './definitions/definition-ports.ts';
import { createFindRef } from './definitions/find-ref.ts';
import { Outbox } from './definitions/outbox.ts';
import { archiveProgress } from './definitions/store/archive-progress.ts';
import { Evaluator } from './evaluation/evaluator.ts';
import type { EventPorts } from './events/event-ports.ts';
import { orderEndings } from './events/order-endings.ts';
import { claimFactsOf, storedFacts } from './events/stored-facts.ts';
import { Ledger } from './ledger/ledger.ts';
import { PartitionConnections } from './ledger/partition-connection.ts';
import { ledgerConnection, ledgerSettings } from './ledger-settings.ts';
import { createOutbound, type Outbound } from './outbound.ts';
import { Points } from './points/points.ts';
import type { PointsHistory } from './points/points-history.ts';
import { orderArchive } from './redemption/hydrate-order.ts';
import { Redemptions } from './redemption/redemptions.ts';
import { loadHistory } from './ruleset/load-history.ts';
import { PromotionBook } from './ruleset/promotion-book.ts';
import { type RuleSetFollower, RuleSetKeeper } from './ruleset/rule-set-keeper.ts';
import { LOG_EVENTS, type Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { lacksFacts } from './transport/claim-facts.ts';
import { ClaimIntake } from './transport/claim-intake.ts';
import { decideAgainBy } from './transport/decide-again.ts';
import { evaluateOnce } from './transport/evaluate-once.ts';
import { EvaluationIntake } from './transport/evaluation-intake.ts';
import type { CouponAsk } from './transport/handlers/get-coupon.ts';
import { LimitHints } from './transport/limit-hints.ts';
import { HINT_READ_MS } from './transport/limits.ts';
import type { LiveSources, LookUpCodes } from './transport/live-sources.ts';
import { SERVICES } from './transport/services.ts';
import { type Addresses, createTransport, type Transport } from './transport/transport.ts';
import { WatchedPromotions } from './transport/watched-promotions.ts';
import { wholeWalletPorts } from './transport/whole-wallet.ts';

/** What an application is made of beside its configuration. */
export interface AppDependencies {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock?: () => number;
}

/** A serving process. */
export interface App {
  /** Opens the ports; ready once worker threads have a rule set. Stores that are away are waited for by the calls that need them. */
  start(): Promise<Addresses>;
  /** Leaves without failing a call, then closes everything. */
  stop(): Promise<void>;
}

/** How long the start waits for Redis before it goes on without; calls say what is missing. */
const LEDGER_START_MS = 2_000;
const PROMOTION_ID_BYTES = 8;

function openPool(config: Config, name: string, maxConnections: number): Sql {
  const { url, statementTimeoutMs, connectTimeoutMs } = config.database;
  return createDatabase(url, { applicationName: name, maxConnections, statementTimeoutMs, connectTimeoutMs });
}

class Serving implements App {
  private readonly deps: AppDependencies;
  private readonly clock: () => number;
  private readonly sql: Sql;
  private readonly places: ArchivePlaces;
  private readonly stopping = new AbortController();
  private readonly archiveWatch: ArchiveWatch;
  private readonly ledger: Ledger;
  private readonly definitions: DefinitionPorts;
  private readonly evaluator: Evaluator;
  private readonly live: LiveSources;
  private readonly keeper: RuleSetKeeper;
  /** Counts who tries codes. */
  private readonly guessing: PartitionConnections;
  private readonly codes: Codes;
  private readonly outbox: Outbox;
  private readonly outbound: Outbound;
  private readonly transport: Transport;

  constructor(deps: AppDependencies) {
    const { config, metrics, logger } = deps;
    this.deps = deps;
    this.clock = deps.clock ?? Date.now;
    this.places = new ArchivePlaces(FIRST_GENERATION, config.ledger.partitions);
    this.sql = openPool(config, 'hongbao-serve', config.database.maxConnections);
    this.archiveWatch = new ArchiveWatch({
      sql: this.sql,
      generation: () => this.places.generation,
      nowMs: this.clock,
    });
    this.ledger = new Ledger({
      settings: ledgerSettings(config),
      metrics,
      logger,
      defineMissing: (ref) => defineMissing(ref),
      archived: this.archiveWatch,
      nowMs: this.clock,
    });
    this.definitions = this.definitionPorts();
    const defineMissing = createDefineMissing(this.definitions, this.clock);
    this.live = this.liveSources();
    this.evaluator = new Evaluator({
      settings: config.evaluation,
      metrics,
      logger,
      replayTimeoutMs: config.limits.maxDeadlineMs,
      loadRules: (version, deadlineMs) => loadHistory(this.sql, version, deadlineMs),
    });
    this.keeper = this.ruleSetKeeper();
    this.guessing = this.connectGuessing();
    this.codes = this.createCodes();
    this.outbox = new Outbox({
      ...this.definitions,
      logger,
      pending: metrics.definitionOutboxPending,
      nowMs: this.clock,
    });
    this.outbound = createOutbound(config, {
      sql: this.sql,
      places: this.places,
      metrics,
      nowMs: this.clock,
    });
    this.transport = this.servers();
  }

  async start(): Promise<Addresses> {
    const stores = [
      this.ledger.start(LEDGER_START_MS),
      this.guessing.start(LEDGER_START_MS),
      this.joinLedger(),
    ];
    await Promise.all(stores);
    const addresses = await this.transport.start();
    this.outbox.start();
    void this.keeper.start();
    this.deps.logger.info({ event: LOG_EVENTS.serviceStarted, ...addresses }, 'serving');
    return addresses;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.transport.drain();
    await this.outbox.stop();
    await this.keeper.stop();
    await this.evaluator.close();
    await this.ledger.close();
    this.guessing.close();
    await this.sql.end({ timeout: 1 });
    await this.transport.stop();
    this.deps.logger.info({ event: LOG_EVENTS.serviceStopped }, 'stopped');
  }

  /** While Postgres is away the archive cannot be read either, so a start need not wait for it for long. */
  private async joinLedger(): Promise<void> {
    const learning = learnGeneration(this.sql, this.places, this.stopping.signal);
    learning.catch((error: unknown) =>
      this.deps.logger.error(
        { event: LOG_EVENTS.ledgerGeneration, err: error },
        'the ledger is of another shape',
      ),
    );
    await Promise.race([learning, sleep(LEDGER_START_MS)]);
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

  private connectGuessing(): PartitionConnections {
    const { config, logger } = this.deps;
    return new PartitionConnections(ledgerConnection(config), 'hongbao-guessing', (error) =>
      logger.warn({ event: LOG_EVENTS.ledgerConnection, cause: error.message }, 'no connection'),
    );
  }

  private createCodes(): Codes {
    const { sql, ledger, keeper, guessing, clock } = this;
    const { config, logger } = this.deps;
    const settings = config.codes;
    return createCodes({ sql, ledger, connections: guessing, rules: keeper, settings, logger, nowMs: clock });
  }

  private liveSources(): LiveSources {
    const { ledger, clock } = this;
    const watched = new WatchedPromotions();
    const hints = new LimitHints({
      limited: watched.limited,
      readCounters: (asks) => ledger.read(clock() + HINT_READ_MS, (reads) => reads.counters(asks)),
      nowMs: () => ledger.nowMs(),
    });
    const lookUpCodes: LookUpCodes = (codes, deadlineMs) => this.codes.book.lookUp(codes, deadlineMs);
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
        this.transport.updateHealth();
      },
    };
  }

  private ruleSetKeeper(): RuleSetKeeper {
    const { config, metrics, logger } = this.deps;
    const { url, statementTimeoutMs, connectTimeoutMs } = config.database;
    const options = {
      applicationName: 'hongbao-rule-set',
      maxConnections: 1,
      statementTimeoutMs,
      connectTimeoutMs,
    };
    return new RuleSetKeeper({
      sql: this.sql,
      openListener: (events) => createDatabase(url, { ...options, ...events }),
      ledger: this.definitions.ledger,
      metrics,
      logger,
      pollMs: config.ruleSet.pollMs,
      nowMs: this.clock,
      follower: this.ruleSetFollower(),
    });
  }

  private evaluations(book: PromotionBook): EvaluationIntake {
    const { ledger, evaluator, clock } = this;
    return new EvaluationIntake({
      evaluator,
      readHolders: (asks, deadlineMs) => ledger.read(deadlineMs, (reads) => reads.holders(asks)),
      live: this.live,
      versionBody: (ref, version, deadlineMs) => book.versionBody(ref, version, deadlineMs),
      evaluations: this.deps.metrics.evaluations,
      logger: this.deps.logger,
      nowMs: clock,
    });
  }

  private pointsHistory(): PointsHistory {
    const { ledger, sql, places, clock } = this;
    return {
      ledger,
      readEntries: (userId, below, limit, deadlineMs) =>
        readPointsEntries(sql, userId, below, limit, deadlineMs),
      awaitArchived: (userId, seq, deadlineMs) =>
        awaitArchived(sql, places.ofUser(userId), seq, { nowMs: clock, deadlineMs }),
    };
  }

  private redemptions(book: PromotionBook, evaluations: EvaluationIntake): Redemptions {
    return new Redemptions({
      ledger: this.ledger,
      codes: this.codes.book,
      promotions: book,
      evaluate: (request, caller, holder) => evaluateOnce(evaluations, request, caller, holder),
      exhausted: this.live.hints,
      archive: orderArchive({ sql: this.sql, places: this.places, ledger: this.ledger }),
      metrics: this.deps.metrics,
    });
  }

  private events(parts: Pick<EventPorts, 'points' | 'orders'>): EventPorts {
    const { sql, ledger, keeper, clock } = this;
    const { config, metrics, logger } = this.deps;
    return {
      ...parts,
      sql,
      ledger,
      rules: keeper,
      profiles: this.outbound.profiles,
      metrics,
      logger,
      settings: config.events,
      nowMs: clock,
    };
  }

  private servers(): Transport {
    const { config, metrics, logger } = this.deps;
    const { ledger, keeper, definitions, places, clock } = this;
    const findRef = createFindRef({
      sql: this.sql,
      ledgerRef: (id, deadlineMs) => ledger.read(deadlineMs, (reads) => reads.refOf(id)),
    });
    const knownRef = (id: string): number | undefined => keeper.current.byId(id)?.ref;
    const intake = new ClaimIntake({
      ledger,
      claims: metrics.claims,
      knownRef,
      lacksFacts: (id, facts) => lacksFacts(keeper.current.byId(id)?.promotion, facts),
      readFacts: async (userId, deadlineMs) => {
        const facts = await storedFacts(ledger, userId, deadlineMs);
        return facts && claimFactsOf(facts);
      },
      findRef,
    });
    const book = new PromotionBook(keeper, this.sql);
    const evaluations = this.evaluations(book);
    const redemptions = this.redemptions(book, evaluations);
    const archive = orderArchive({ sql: this.sql, places, ledger });
    const decideAgain = decideAgainBy(evaluations, clock);
    const returns = { ledger, archive, promotions: book, metrics, decideAgain };
    const points = new Points({ ledger, settings: config.points, metrics });
    const handlers = {
      ledger,
      archived: this.archiveWatch,
      intake,
      evaluations,
      book,
      definitions,
      codes: this.codes,
      codeClaims: metrics.codeClaims,
      insight: { sql: this.sql, places },
      redemptions,
      returns,
      points,
      events: this.events({ points, orders: orderEndings(redemptions, returns) }),
      outbound: this.outbound,
      erasures: { sql: this.sql, ledger, logger, nowMs: clock },
      pointsHistory: this.pointsHistory(),
      findRef: async (id: string, deadlineMs: number) => knownRef(id) ?? (await findRef(id, deadlineMs)),
      isDevelopment: config.service.development === 'embedded',
      wallets: wholeWalletPorts(this.sql, places, ledger, clock),
      couponChanges: async ({ userId, couponId, sinceSeq }: CouponAsk, deadlineMs: number) => {
        await awaitArchived(this.sql, places.ofUser(userId), sinceSeq ?? 0, { nowMs: clock, deadlineMs });
        return await readCouponChanges(this.sql, couponId, deadlineMs);
      },
      itemDeadlineMs: config.limits.defaultDeadlineMs,
      clock,
    };
    return createTransport({
      config,
      metrics,
      logger,
      services: SERVICES,
      bindings: bindings(handlers),
      isReady: () => keeper.isLoaded && this.evaluator.isReady,
      endStreams: () => this.outbound.eventStreams.close(),
      details: () => ({
        durability: ledger.durability,
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
