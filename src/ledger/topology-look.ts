/** What sentinels and nodes of a cluster say about who serves what. Every answer comes with the epoch it is from. */
import type { Redis } from 'ioredis';
import { ownerOf, parseMasters } from './cluster-nodes.ts';
import { partitionSlot } from './keys.ts';
import type { TopologyAddress } from './topology-address.ts';

/** Who serves a partition, as somebody said in an epoch; a later epoch knows better. */
export interface Placement {
  readonly partition: number;
  readonly url: string;
  readonly epoch: number;
}

/** One answer: the placements it tells, and the masters it knows. */
export interface TopologyAnswer {
  readonly placements: readonly Placement[];
  readonly nodes: readonly string[];
}

/** Asks a sentinel who the master is. Throws what the driver throws, and when the sentinel knows no such master. */
export async function askSentinel(
  redis: Redis,
  address: TopologyAddress,
  partitions: number,
): Promise<TopologyAnswer> {
  const name = address.masterName;
  const [told, described] = await Promise.all([
    redis.call('SENTINEL', ['GET-MASTER-ADDR-BY-NAME', name]),
    redis.call('SENTINEL', ['MASTER', name]),
  ]);
  const [host, port] = texts(told);
  if (host === undefined || port === undefined) throw new Error('the sentinel knows no such master');
  const url = address.nodeUrl(host, Number(port));
  const fields = texts(described);
  const epoch = Number(fields[fields.indexOf('config-epoch') + 1] ?? 0);
  const placements = Array.from({ length: partitions }, (_, partition) => ({ partition, url, epoch }));
  return { placements, nodes: [] };
}

/** Asks a node of a cluster who serves the slots of the partitions. Throws what the driver throws. */
export async function askClusterNode(
  redis: Redis,
  address: TopologyAddress,
  partitions: number,
): Promise<TopologyAnswer> {
  const masters = parseMasters(String(await redis.call('CLUSTER', ['NODES'])), redis.options.host ?? '');
  const slots = Array.from({ length: partitions }, (_, partition) => partitionSlot(partition));
  const placements = slots.flatMap((slot, partition) => {
    const owner = ownerOf(masters, slot);
    if (owner === undefined) return [];
    return [{ partition, url: address.nodeUrl(owner.host, owner.port), epoch: owner.epoch }];
  });
  return { placements, nodes: masters.map(({ host, port }) => address.nodeUrl(host, port)) };
}

function texts(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}
