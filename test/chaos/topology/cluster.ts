/** Six nodes: three masters with the slots, three replicas. They announce their proxies, so MOVED leads through those too. */
import { setTimeout as sleep } from 'node:timers/promises';
import { partitionKeys } from '../../../src/ledger/keys.ts';
import { formCluster } from '../../../tools/servers/redis-cluster.ts';
import { type ClusterMember, isolateMember, startMember } from './cluster-member.ts';
import type { RedisNode } from './redis-node.ts';
import type { RedisTopology } from './redis-topology.ts';
import { replicationOf } from './replication.ts';
import type { SingleOptions } from './single.ts';

const MASTERS = 3;
const NODES = 6;
const POLL_MS = 100;
const READY_MS = 40_000;
/** Partitions of the ledger, spread over the slots by their tags. */
const PARTITIONS = 16;

/** Starts the nodes and makes one cluster of them; resolves when every slot is served and every replica follows. */
export async function startCluster(options: SingleOptions): Promise<RedisTopology> {
  const names = Array.from({ length: NODES }, (_, index) => `redis-${index + 1}`);
  const members = await Promise.all(names.map((name) => startMember(options, name)));
  await join(members);
  const nodes = members.map(({ node }) => node);
  const masterOf = (partition: number): Promise<RedisNode> =>
    ownerOf(members, partitionKeys(partition, PARTITIONS).meta);
  return {
    name: 'cluster',
    url: `redis+cluster://${nodes.map(({ proxy }) => `127.0.0.1:${proxy.port}`).join(',')}`,
    nodes,
    partitions: PARTITIONS,
    environment: { HONGBAO_LEDGER_PARTITIONS: String(PARTITIONS), HONGBAO_REDIS_REPLICAS: '1' },
    masterOf,
    masters: () => mastersAmong(members),
    replicasOf: (master) => replicasOf(members, master),
    isolate: (master) => isolateMember(members, master),
    async handOver(_, replica) {
      await replica.admin.cluster('FAILOVER');
    },
    async repair() {
      for (const node of nodes) if (!(await node.answers())) await node.restart();
      await untilWhole(nodes);
    },
    async close() {
      await Promise.all(members.flatMap(({ node, bus }) => [node.close(), bus.close()]));
    },
  };
}

async function join(members: readonly ClusterMember[]): Promise<void> {
  const cluster = members.map(({ node, bus }) => ({
    redis: node.admin,
    port: node.server.port,
    busPort: bus.port,
  }));
  await formCluster(cluster, MASTERS);
  await untilKnown(members);
  for (const [index, { node }] of members.entries()) {
    const master = members[index - MASTERS];
    if (master !== undefined) await node.admin.cluster('REPLICATE', master.id);
  }
  await untilWhole(members.map(({ node }) => node));
}

/** A node cannot follow one it has not heard of. */
async function untilKnown(members: readonly ClusterMember[]): Promise<void> {
  await until('the nodes do not know each other', async () => {
    const views = await Promise.all(members.map(({ node }) => node.admin.call('CLUSTER', 'NODES')));
    return views.every((view) => members.every(({ id }) => String(view).includes(id)));
  });
}

async function untilWhole(nodes: readonly RedisNode[]): Promise<void> {
  await until('the cluster is not whole', async () => {
    const infos = await Promise.all(nodes.map((node) => node.admin.cluster('INFO').catch(() => '')));
    if (!infos.every((info) => String(info).includes('cluster_state:ok'))) return false;
    const states = await Promise.all(nodes.map((node) => replicationOf(node.admin)));
    const masters = states.filter((state) => state?.role === 'master').length;
    return masters === MASTERS && states.filter((state) => state?.isFollowing).length === NODES - MASTERS;
  });
}

async function until(complaint: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < READY_MS; waitedMs += POLL_MS) {
    if (await isSo()) return;
    await sleep(POLL_MS);
  }
  throw new Error(complaint);
}

/** A node is asked for the key itself: only its owner answers without sending us on. */
async function ownerOf(members: readonly ClusterMember[], key: string): Promise<RedisNode> {
  const candidates = await mastersAmong(members);
  for (const node of candidates) {
    const owns = await node.admin.exists(key).then(
      () => true,
      () => false,
    );
    if (owns) return node;
  }
  throw new Error(`no node serves ${key}`);
}

async function mastersAmong(members: readonly ClusterMember[]): Promise<RedisNode[]> {
  const states = await Promise.all(members.map(({ node }) => replicationOf(node.admin)));
  return members.filter((_, index) => states[index]?.role === 'master').map(({ node }) => node);
}

async function replicasOf(members: readonly ClusterMember[], master: RedisNode): Promise<RedisNode[]> {
  const states = await Promise.all(
    members.map(async ({ node }) => (await node.admin.info('replication').catch(() => '')).toString()),
  );
  return members
    .filter((_, index) => {
      const info = states[index] ?? '';
      return info.includes('role:slave') && info.includes(`master_port:${master.proxy.port}\r`);
    })
    .map(({ node }) => node);
}
