/**
 * The Redis that integration tests run on. HONGBAO_TEST_TOPOLOGY says what it is: one server (the default), one server with four
 * partitions, master and replica behind sentinels, or a cluster of six nodes. SPEC C9
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type PartitionKeys, partitionKeys, partitionOf } from '../src/ledger/keys.ts';
import { startRedisServer } from '../tools/servers/redis-server.ts';
import { startCluster } from './chaos/topology/cluster.ts';
import type { RedisTopology } from './chaos/topology/redis-topology.ts';
import { startReplica } from './chaos/topology/replica.ts';

/** The set-ups there are. */
export const SET_UPS = ['single', 'partitions', 'replica', 'cluster'] as const;

/** One of them. */
export type SetUp = (typeof SET_UPS)[number];

const PATIENCE_MS = 20_000;
/** A write waits half of this for replicas, whose disk is that of the master here, and of every other test. */
const PATIENT = { HONGBAO_REDIS_COMMAND_TIMEOUT_MS: '10000' };
/** Partitions of the ledger on one server that has several. */
export const SHARED_PARTITIONS = 4;

/** A Redis of any set-up. */
export interface TestRedis {
  /** What the product is given as REDIS_URL. */
  readonly url: string;
  /** Further variables of the product. */
  readonly environment: Readonly<Record<string, string>>;
  /** Partitions of the ledger on it. */
  readonly partitions: number;
  /** Replicas that are to confirm a write. */
  readonly replicas: number;
  /** Servers and what can be done to them; absent where there is but one. */
  readonly topology: RedisTopology | undefined;
  /** A plain connection to the server that holds everything of a user now, and the keys there; disconnect it. */
  at(userId: string): Promise<{ redis: Redis; keys: PartitionKeys }>;
  /** The address of the server that holds a partition now. */
  addressOf(partition: number): Promise<string>;
  /** SIGKILL to all servers; their files stay for `restart`. */
  kill(): Promise<void>;
  /** Starts what has ended; resolves when everything serves again. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** What HONGBAO_TEST_TOPOLOGY says. Throws RangeError when that is nothing there is. */
export function chosenSetUp(): SetUp {
  const name = process.env['HONGBAO_TEST_TOPOLOGY'] ?? 'single';
  const found = SET_UPS.find((setUp) => setUp === name);
  if (found === undefined) throw new RangeError(`HONGBAO_TEST_TOPOLOGY is none of ${SET_UPS.join(', ')}`);
  return found;
}

/**
 * Starts one, by default the chosen one; resolves when all of it serves. The chosen one is patient with servers that are slow, as
 * tests that are about something else cannot do with new masters; one that is named replaces them soon.
 */
export async function startTestRedis(named?: SetUp): Promise<TestRedis> {
  const setUp = named ?? chosenSetUp();
  if (setUp === 'single' || setUp === 'partitions')
    return await startAlone(setUp === 'single' ? 1 : SHARED_PARTITIONS);
  const directory = await mkdtemp(join(tmpdir(), 'hongbao-redis-'));
  const start = setUp === 'replica' ? startReplica : startCluster;
  const patience = named === undefined ? { downAfterMs: PATIENCE_MS } : {};
  const servers = severalServers(await start({ directory, random: () => 1 / 2, ...patience }), directory);
  return named === undefined ? { ...servers, environment: { ...servers.environment, ...PATIENT } } : servers;
}

async function startAlone(partitions: number): Promise<TestRedis> {
  const server = await startRedisServer();
  return {
    url: server.url,
    environment: partitions === 1 ? {} : { HONGBAO_LEDGER_PARTITIONS: String(partitions) },
    partitions,
    replicas: 0,
    topology: undefined,
    at: async (userId) => connect(userId, partitions, () => Promise.resolve(server.url)),
    addressOf: async () => server.url,
    kill: () => server.kill(),
    restart: () => server.restart(),
    close: () => server.stop(),
  };
}

function severalServers(topology: RedisTopology, directory: string): TestRedis {
  const { partitions, nodes } = topology;
  const addressOf = async (partition: number): Promise<string> =>
    (await topology.masterOf(partition)).server.url;
  return {
    url: topology.url,
    environment: topology.environment,
    partitions,
    replicas: 1,
    topology,
    at: (userId) => connect(userId, partitions, addressOf),
    addressOf,
    async kill() {
      await Promise.all(nodes.map((node) => node.server.kill()));
    },
    restart: () => topology.repair(),
    async close() {
      await topology.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function connect(
  userId: string,
  partitions: number,
  addressOf: (partition: number) => Promise<string>,
): Promise<{ redis: Redis; keys: PartitionKeys }> {
  const partition = partitionOf(userId, partitions);
  const redis = new Redis(await addressOf(partition), { protocol: 2, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  return { redis, keys: partitionKeys(partition, partitions) };
}
