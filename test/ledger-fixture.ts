/** A real redis-server with an open partition, and a ledger on it, for tests of the ledger. */
import { Redis } from 'ioredis';
import { pino } from 'pino';
import type { LiveDefinition } from '../src/domain/live-definition.ts';
import { LedgerAdmin } from '../src/ledger/admin.ts';
import type { ArchivedCoupons } from '../src/ledger/archived-coupons.ts';
import type { ClaimedCoupon, ClaimFacts, ClaimRefusal } from '../src/ledger/claim-operation.ts';
import { awaitReady, connectLedger } from '../src/ledger/connection.ts';
import { couponFieldHex } from '../src/ledger/coupon-field.ts';
import { Ledger, type LedgerSettings } from '../src/ledger/ledger.ts';
import { createMetrics, type Metrics } from '../src/telemetry/metrics.ts';
import { type RedisServer, startRedisServer } from '../tools/servers/redis-server.ts';

/** What a claim answered: the coupon, or the refusal. */
export type ClaimAnswer = ClaimedCoupon | ClaimRefusal;

/** What a test of the ledger works with. */
export interface LedgerFixture {
  readonly server: RedisServer;
  readonly ledger: Ledger;
  /** Of the first partition. */
  readonly admin: LedgerAdmin;
  /** A plain connection for looking and for planting faults. */
  readonly redis: Redis;
  readonly metrics: Metrics;
  /** Opens the partitions for the server process that runs now, as the gatekeeper does. */
  open(): Promise<void>;
  claim(options: ClaimOptions): Promise<ClaimAnswer>;
  close(): Promise<void>;
}

/** One claim of a test; everything but user and request has a default. */
export interface ClaimOptions {
  readonly user: string;
  readonly request: string;
  readonly ref?: number;
  readonly timeoutMs?: number;
  readonly facts?: ClaimFacts;
}

/** What differs from the usual set-up. */
export interface FixtureOptions {
  readonly settings?: Partial<LedgerSettings>;
  readonly appendFsync?: 'always' | 'everysec';
  readonly defineMissing?: (ref: number, ledger: Ledger) => Promise<boolean>;
  /** Tells when coupons are archived. */
  readonly archived?: ArchivedCoupons;
  /** The port the ledger's own connections go to, given the server's; for a proxy in between. */
  readonly through?: (serverPort: number) => Promise<number>;
}

/** Generous bounds: a loaded machine must not fail a test. */
const SETTINGS = {
  commandTimeoutMs: 5_000,
  socketTimeoutMs: 10_000,
  connectTimeoutMs: 2_000,
  queueLimit: 10_000,
  claimBacklogEvents: 1_000_000,
  reservationBacklogEvents: 1_000_000,
  replicas: 0,
  durabilityFallback: 'refuse',
  isFsyncVouchedFor: false,
} as const;

const DEFAULT_TIMEOUT_MS = 10_000;

/** A definition that lets everybody claim; override what the test is about. */
export function definitionOf(overrides: Partial<LiveDefinition> = {}): LiveDefinition {
  return {
    ref: 1,
    id: 'spring',
    version: 1,
    state: 'active',
    claimable: true,
    perUserLimit: 1,
    quantity: 100,
    acknowledgement: 'durable',
    validity: { kind: 'days', days: 7 },
    target: { kind: 'everyone' },
    body: new Uint8Array([1, 2, 3]),
    ...overrides,
  };
}

/** Far enough away for every call of a test. */
export function soon(): number {
  return Date.now() + DEFAULT_TIMEOUT_MS;
}

/** Was the claim carried out? Narrows the answer. */
export function isClaimed(answer: ClaimAnswer): answer is ClaimedCoupon {
  return 'couponId' in answer;
}

/** The reason of a refusal, or 'claimed'. */
export function reasonOf(answer: ClaimAnswer): string {
  return isClaimed(answer) ? 'claimed' : answer.reason;
}

async function claimOn(ledger: Ledger, options: ClaimOptions): Promise<ClaimAnswer> {
  const { promise, resolve } = Promise.withResolvers<ClaimAnswer>();
  ledger.claim({
    promotionRef: options.ref ?? 1,
    userId: options.user,
    fieldHex: couponFieldHex('claim', options.user, options.request),
    deadlineMs: Date.now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS),
    facts: options.facts,
    listener: { claimed: resolve, refused: resolve },
  });
  return await promise;
}

/** Starts everything; close it in `afterAll`. */
export async function startLedgerFixture(options: FixtureOptions = {}): Promise<LedgerFixture> {
  const server = await startRedisServer({ appendFsync: options.appendFsync ?? 'always' });
  const port = (await options.through?.(server.port)) ?? server.port;
  const settings = { ...SETTINGS, ...options.settings, url: `redis://127.0.0.1:${port}` };
  const keeper = connectLedger({ ...settings, url: server.url }, 'test-keeper');
  keeper.on('error', () => undefined);
  const redis = new Redis(server.url, { protocol: 2, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const { partitions = 1 } = { ...options.settings };
  const admins = Array.from(
    { length: partitions },
    (_, partition) => new LedgerAdmin(keeper, 1, partition, partitions),
  );
  const [admin = new LedgerAdmin(keeper, 1, 0)] = admins;
  const metrics = createMetrics({ version: 'test', node: process.version });
  const open = async (): Promise<void> => {
    await awaitReady(keeper, DEFAULT_TIMEOUT_MS);
    for (const each of admins) await each.open(await each.serverRunId());
  };
  await open();
  const ledger: Ledger = new Ledger({
    settings,
    metrics,
    logger: pino({ level: 'silent' }),
    defineMissing: async (ref) => (await options.defineMissing?.(ref, ledger)) ?? false,
    ...(options.archived && { archived: options.archived }),
    nowMs: () => Date.now(),
  });
  await ledger.start(DEFAULT_TIMEOUT_MS);
  return {
    server,
    ledger,
    admin,
    redis,
    metrics,
    open,
    claim: (claimOptions) => claimOn(ledger, claimOptions),
    async close() {
      await ledger.close();
      keeper.disconnect();
      redis.disconnect();
      await server.stop();
    },
  };
}
