/** The Redis behind a product under measurement: one server, or a cluster of masters. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { formCluster } from '../../tools/servers/redis-cluster.ts';
import { type RedisServer, startRedisServer } from '../../tools/servers/redis-server.ts';
import { BENCH_REDIS } from '../processes/bench-redis.ts';

/** Servers that are up. */
export interface LedgerServers {
  /** As REDIS_URL names them. */
  readonly url: string;
  readonly pids: readonly number[];
}

/** Starts them; the stack ends them. */
export type StartLedgerServers = (stack: AsyncDisposableStack) => Promise<LedgerServers>;

const POLL_MS = 50;
const WHOLE_LIMIT_MS = 30_000;

/** One server. */
export async function oneServer(stack: AsyncDisposableStack): Promise<LedgerServers> {
  const redis = await startRedisServer(BENCH_REDIS);
  stack.defer(() => redis.stop());
  return { url: redis.url, pids: [redis.pid] };
}

/** A cluster of so many masters that share the slots evenly. Without replicas: what is measured is how the work spreads. */
export function clusterOf(masters: number): StartLedgerServers {
  return async (stack) => {
    const servers: RedisServer[] = [];
    for (let index = 0; index < masters; index += 1) {
      const server = await startRedisServer({
        ...BENCH_REDIS,
        settings: { ...BENCH_REDIS.settings, 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' },
      });
      stack.defer(() => server.stop());
      servers.push(server);
    }
    await join(servers);
    const hosts = servers.map(({ port }) => `127.0.0.1:${port}`).join(',');
    return { url: `redis+cluster://${hosts}`, pids: servers.map(({ pid }) => pid) };
  };
}

async function join(servers: readonly RedisServer[]): Promise<void> {
  const nodes = servers.map(({ port, url }) => ({ port, redis: new Redis(url, { protocol: 2 }) }));
  try {
    await formCluster(nodes, nodes.length);
    await untilWhole(nodes.map(({ redis }) => redis));
  } finally {
    for (const { redis } of nodes) redis.disconnect();
  }
}

async function untilWhole(nodes: readonly Redis[]): Promise<void> {
  const endsMs = performance.now() + WHOLE_LIMIT_MS;
  for (;;) {
    const views = await Promise.all(nodes.map((node) => node.cluster('INFO')));
    const isWhole = views.every(
      (view) =>
        /cluster_state:ok/.test(view) && new RegExp(`cluster_known_nodes:${nodes.length}\\b`).test(view),
    );
    if (isWhole) return;
    if (performance.now() > endsMs) throw new Error(`the cluster is not whole after ${WHOLE_LIMIT_MS} ms`);
    await sleep(POLL_MS);
  }
}
