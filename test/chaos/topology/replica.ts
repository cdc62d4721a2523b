/** A master and a replica, and three sentinels that change their roles when the master is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisNode } from './redis-node.ts';
import type { RedisTopology } from './redis-topology.ts';
import { replicationOf } from './replication.ts';
import { MASTER_NAME, startSentinels } from './sentinels.ts';
import type { SingleOptions } from './single.ts';

const POLL_MS = 100;
const REPAIR_MS = 30_000;

/** Starts all five; resolves when the replica follows. */
export async function startReplica(options: SingleOptions): Promise<RedisTopology> {
  const settings = ({ proxy }: { proxy: number }) => ({
    'replica-announce-ip': '127.0.0.1',
    'replica-announce-port': String(proxy),
    'repl-ping-replica-period': '1',
  });
  const first = await RedisNode.start({ name: 'redis-1', ...options, settings });
  const second = await RedisNode.start({ name: 'redis-2', ...options, settings });
  const nodes = [first, second];
  await second.admin.replicaof('127.0.0.1', first.proxy.port);
  await untilFollowing(nodes);
  const sentinels = await startSentinels(options.directory, first.proxy.port, options.downAfterMs);
  const master = (): Promise<RedisNode> => masterAmong(nodes);
  return {
    name: 'replica',
    url: `redis+sentinel://${sentinels.ports.map((port) => `127.0.0.1:${port}`).join(',')}/${MASTER_NAME}`,
    nodes,
    partitions: 1,
    environment: { HONGBAO_REDIS_REPLICAS: '1' },
    masterOf: master,
    masters: async () => [await master()],
    replicasOf: async (of) => await upExcept(nodes, of),
    isolate: (of) => of.proxy.cutPeers(),
    handOver: () => sentinels.failOver(),
    async repair() {
      for (const node of nodes) if (!(await node.answers())) await node.restart();
      await untilFollowing(nodes);
    },
    async close() {
      await sentinels.close();
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}

/** The master with the most writes, should an old one not know yet that it is none any more. */
async function masterAmong(nodes: readonly RedisNode[]): Promise<RedisNode> {
  const states = await Promise.all(
    nodes.map(async (node) => ({ node, state: await replicationOf(node.admin) })),
  );
  const [found] = states
    .filter(({ state }) => state?.role === 'master')
    .toSorted((left, right) => (right.state?.offset ?? 0) - (left.state?.offset ?? 0));
  if (found === undefined) throw new Error('no master answers');
  return found.node;
}

async function upExcept(nodes: readonly RedisNode[], master: RedisNode): Promise<RedisNode[]> {
  const others = nodes.filter((node) => node !== master);
  const up = await Promise.all(others.map((node) => node.answers()));
  return others.filter((_, index) => up[index]);
}

/** The sentinels turn an old master that comes back into a replica; that, and its first synchronisation, is waited for. */
async function untilFollowing(nodes: readonly RedisNode[]): Promise<void> {
  for (let waitedMs = 0; waitedMs < REPAIR_MS; waitedMs += POLL_MS) {
    const states = await Promise.all(nodes.map((node) => replicationOf(node.admin)));
    const masters = states.filter((state) => state?.role === 'master').length;
    const following = states.filter((state) => state?.isFollowing).length;
    if (masters === 1 && following === nodes.length - 1) return;
    await sleep(POLL_MS);
  }
  throw new Error('no replica follows the master');
}
