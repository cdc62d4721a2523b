/** A real redis-server with an open partition, and a ledger on it, for tests of the ledger. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import type { LiveDefinition } from '../src/domain/live-definition.ts';
import { LedgerAdmin } from '../src/ledger/admin.ts';
import type { ArchivedCoupons } from '../src/ledger/archived-coupons.ts';
import type { ClaimedCoupon, ClaimFacts, ClaimRefusal } from '../src/ledger/claim-operation.ts';
import { awaitReady, connectLedger } from '../src/ledger/connection.ts';
import { couponFieldHex } from '../src/ledger/coupon-field.ts';
import { Ledger, type LedgerSettings } from '../src/ledger/ledger.ts';
import {
  type ConnectionOfPartition,
  fixedConnections,
  PartitionConnections,
} from '../src/ledger/partition-connection.ts';
import type { Logger } from '../src/telemetry/logger.ts';
import { createMetrics, type Metrics } from '../src/telemetry/metrics.ts';
import { type RedisServer, startRedisServer } from '../tools/servers/redis-server.ts';
import { chosenSetUp, SHARED_PARTITIONS, startTestRedis } from './redis-set-up.ts';

/** What a claim answered: the coupon, or the refusal. */
export type ClaimAnswer = ClaimedCoupon | ClaimRefusal;

/** What a test of the ledger works with. */
export interface LedgerFixture {
  /** The server that holds the first partition, as it was at the start. */
  readonly server: Pick<RedisServer, 'port' | 'url' | 'kill' | 'restart'>;
  /** Where the ledger's connections go. */
  readonly url: string;
  readonly ledger: Ledger;
  /** Of the first partition. */
  readonly admin: LedgerAdmin;
  /** Of all partitions, in their order. */
  readonly admins: readonly LedgerAdmin[];
  /** The keeper's connection to each of them. */
  readonly connections: ConnectionOfPartition;
  /** A plain connection to the server, for looking and for planting faults. */
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
  /** As many partitions as the chosen set-up of Redis has; without it there is one, whose keys the test may look at. */
  readonly isDivided?: boolean;
  readonly appendFsync?: 'always' | 'everysec';
  readonly defineMissing?: (ref: number, ledger: Ledger) => Promise<boolean>;
  /** Where its log goes; nowhere without it. */
  readonly logger?: Logger;
  /** Tells when coupons are archived. */
  readonly archived?: ArchivedCoupons;
  /** The port the ledger's own connections go to, given the server's; for a proxy in between. */
  readonly through?: (serverPort: number) => Promise<number>;
}

/** Settings of a test's ledger beside its address and its partitions. Generous bounds: a loaded machine must not fail a test. */
export const LEDGER_SETTINGS = {
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
const OPEN_ATTEMPTS = 300;
const OPEN_PAUSE_MS = 50;

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

/** The store of a fixture: where it is, and its partitions as their keeper sees them. */
interface Store {
  readonly server: LedgerFixture['server'];
  readonly settings: Partial<LedgerSettings> & Pick<LedgerSettings, 'url'>;
  readonly connections: ConnectionOfPartition;
  /** Resolves when the keeper's connections work. */
  ready(): Promise<unknown>;
  close(): Promise<void>;
}

/** One server, which the test may set up and break as it likes. */
async function startServer(options: FixtureOptions, partitions: number): Promise<Store> {
  const server = await startRedisServer({ appendFsync: options.appendFsync ?? 'always' });
  const port = (await options.through?.(server.port)) ?? server.port;
  const keeper = connectLedger({ ...LEDGER_SETTINGS, url: server.url }, 'test-keeper');
  keeper.on('error', () => undefined);
  return {
    server,
    settings: { url: `redis://127.0.0.1:${port}`, partitions },
    connections: { partitions, of: fixedConnections(keeper).of },
    ready: () => awaitReady(keeper, DEFAULT_TIMEOUT_MS),
    async close() {
      keeper.disconnect();
      await server.stop();
    },
  };
}

/** Several servers. The one of the first partition can be killed; to restart it is to repair everything. */
async function startServers(isDivided: boolean): Promise<Store> {
  const test = await startTestRedis();
  const partitions = isDivided ? test.partitions : 1;
  const { topology } = test;
  if (topology === undefined) throw new Error('one server is no topology');
  const { server } = await topology.masterOf(0);
  const settings = { url: test.url, partitions, replicas: test.replicas };
  const connections = new PartitionConnections(
    { ...LEDGER_SETTINGS, ...settings },
    'test-keeper',
    () => undefined,
  );
  let started: Promise<unknown> | undefined;
  return {
    server: {
      port: server.port,
      url: server.url,
      kill: () => server.kill(),
      restart: () => topology.repair(),
    },
    settings,
    connections,
    ready: () => (started ??= connections.start(DEFAULT_TIMEOUT_MS)),
    async close() {
      connections.close();
      await test.close();
    },
  };
}

async function startStore(options: FixtureOptions): Promise<Store> {
  const { settings, isDivided = false } = options;
  const setUp = chosenSetUp();
  const isOfOneServer =
    options.through ?? options.appendFsync ?? settings?.replicas ?? settings?.partitions ?? undefined;
  if (isOfOneServer === undefined && (setUp === 'replica' || setUp === 'cluster'))
    return await startServers(isDivided);
  const divided = isDivided && setUp === 'partitions' ? SHARED_PARTITIONS : 1;
  return await startServer(options, settings?.partitions ?? divided);
}

/** Opens it as soon as somebody holds it: where servers change places that may take a moment. */
async function openPartition(admin: LedgerAdmin): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (await admin.open(await admin.serverRunId())) return;
    } catch (error) {
      if (attempt === OPEN_ATTEMPTS) throw error;
    }
    await sleep(OPEN_PAUSE_MS);
  }
}

/** Starts everything, on the chosen set-up of Redis unless the options are about one server; close it in `afterAll`. */
export async function startLedgerFixture(options: FixtureOptions = {}): Promise<LedgerFixture> {
  const store = await startStore(options);
  const { server, connections } = store;
  const { partitions } = connections;
  const admins = Array.from(
    { length: partitions },
    (_, partition) => new LedgerAdmin(connections.of(partition), 1, partition, partitions),
  );
  const settings = { ...LEDGER_SETTINGS, ...options.settings, ...store.settings };
  const redis = new Redis(server.url, { protocol: 2, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const [admin] = admins;
  if (admin === undefined) throw new Error('a ledger has a partition');
  const metrics = createMetrics({ version: 'test', node: process.version });
  const open = async (): Promise<void> => {
    await store.ready();
    for (const each of admins) await openPartition(each);
  };
  await open();
  const ledger: Ledger = new Ledger({
    settings,
    metrics,
    logger: options.logger ?? pino({ level: 'silent' }),
    defineMissing: async (ref) => (await options.defineMissing?.(ref, ledger)) ?? false,
    ...(options.archived && { archived: options.archived }),
    nowMs: () => Date.now(),
  });
  await ledger.start(DEFAULT_TIMEOUT_MS);
  return {
    server,
    url: settings.url,
    ledger,
    admin,
    admins,
    connections,
    redis,
    metrics,
    open,
    claim: (claimOptions) => claimOn(ledger, claimOptions),
    async close() {
      await ledger.close();
      redis.disconnect();
      await store.close();
    },
  };
}
