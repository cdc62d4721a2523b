/** The real side of the model-based test: one Redis with the ledger on it, and everything that works on the ledger. */
import { Redis } from 'ioredis';
import { pino } from 'pino';
import type { JobCounts } from '../../src/jobs/job.ts';
import { LedgerAdmin } from '../../src/ledger/admin.ts';
import { awaitReady, connectLedger } from '../../src/ledger/connection.ts';
import { partitionKeys } from '../../src/ledger/keys.ts';
import { Ledger, type LedgerPorts } from '../../src/ledger/ledger.ts';
import type { Outcome, Transaction } from '../../src/ledger/transaction.ts';
import type { PointsSettings } from '../../src/points/points-ports.ts';
import { createSweepJob } from '../../src/redemption/sweep-job.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { startRedisServer } from '../../tools/servers/redis-server.ts';
import type { Move } from './shared-clock.ts';

/** A fault planted into what the product writes, by which the test itself is tested. */
export type Mutation = (transaction: Transaction) => Transaction;

/** One partition, and the names under which it is archived. */
export const GENERATION = 1;
const CONNECT_MS = 10_000;
const CALL_MS = 60_000;

/** Generous bounds: a loaded machine must not fail a test. */
const SETTINGS = {
  commandTimeoutMs: 20_000,
  socketTimeoutMs: 30_000,
  connectTimeoutMs: 5_000,
  queueLimit: 100_000,
  claimBacklogEvents: 100_000_000,
  reservationBacklogEvents: 100_000_000,
  replicas: 0,
  durabilityFallback: 'degrade',
  isFsyncVouchedFor: true,
} as const;

/** How points are earned in the test. */
export const POINTS: PointsSettings = { rates: {}, expiryMonths: 0, timeZone: 'UTC' };

/** The ledger on a clock that the test moves, with whatever faults it plants. */
export class ModelLedger extends Ledger {
  mutation: Mutation | undefined;
  private readonly clock: () => number;

  constructor(ports: LedgerPorts) {
    super(ports);
    this.clock = ports.nowMs;
  }

  override nowMs(): number {
    return this.clock();
  }

  override async transact(transaction: Transaction, deadlineMs: number): Promise<Outcome> {
    return await super.transact(this.mutation?.(transaction) ?? transaction, deadlineMs);
  }
}

/** What sequences work with. */
export class World {
  readonly ledger: ModelLedger;
  readonly admin: LedgerAdmin;
  readonly redis: Redis;
  readonly metrics: Metrics;
  nowMs = 0;
  private nextRef = 1;
  private readonly closing: (() => Promise<void> | void)[];

  private constructor(url: string, closing: World['closing']) {
    this.closing = closing;
    const settings = { ...SETTINGS, url };
    const keeper = connectLedger(settings, 'model-keeper');
    this.redis = new Redis(url, { protocol: 2 });
    this.admin = new LedgerAdmin(keeper, GENERATION, 0);
    this.metrics = createMetrics({ version: 'test', node: process.version });
    this.ledger = new ModelLedger({
      settings,
      metrics: this.metrics,
      logger: pino({ level: 'silent' }),
      defineMissing: () => Promise.resolve(false),
      nowMs: () => this.nowMs,
    });
    closing.push(
      () => this.ledger.close(),
      () => keeper.disconnect(),
      () => this.redis.disconnect(),
    );
    this.open = async () => {
      await awaitReady(keeper, CONNECT_MS);
      await this.admin.open(await this.admin.serverRunId());
    };
  }

  private readonly open: () => Promise<void>;

  /** Starts everything; the clock stands at midnight of a day that is still to come. */
  static async start(): Promise<World> {
    const server = await startRedisServer();
    const world = new World(server.url, []);
    await world.open();
    await world.ledger.start(CONNECT_MS);
    const days = Math.ceil(Date.now() / 86_400_000) + 1;
    await world.setClock(days * 86_400_000);
    world.closing.push(() => server.stop());
    return world;
  }

  /** Far away, by the clock of the test. */
  deadline(): number {
    return this.nowMs + CALL_MS;
  }

  /** Refs for the promotions of a sequence. */
  takeRefs(count: number): number {
    const first = this.nextRef;
    this.nextRef += count;
    return first;
  }

  /** Moves the clock, and lets the sweep look at everything where that is wanted. */
  async move({ byMs, isSwept }: Move): Promise<void> {
    await this.setClock(this.nowMs + byMs);
    if (isSwept) await this.sweep();
  }

  /** The job that lets reservations lapse, once. */
  async sweep(): Promise<JobCounts> {
    const job = createSweepJob({ ledger: this.ledger, nowMs: () => this.nowMs });
    const { signal } = new AbortController();
    return await job.run({ signal, nowMs: this.nowMs, progress: () => undefined });
  }

  /** Ends everything. */
  async close(): Promise<void> {
    for (const close of this.closing) await close();
  }

  private async setClock(nowMs: number): Promise<void> {
    this.nowMs = nowMs;
    await this.redis.hset(partitionKeys(0).meta, 'time', nowMs);
  }
}
