/** Makes one cluster of redis-servers that were started for it, each in a cluster of its own. */
import type { Redis } from 'ioredis';

const SLOTS = 16_384;

/** A server of a cluster to be, and where the others find it on 127.0.0.1. */
export interface ClusterNode {
  readonly redis: Redis;
  readonly port: number;
  /** Where it is found by the other nodes, when that is not its port and 10,000. */
  readonly busPort?: number;
}

/**
 * The first so many nodes get an even share of the slots each, and all are introduced to the first. They get to know each other a
 * moment later, which is for the caller to wait for.
 */
export async function formCluster(nodes: readonly ClusterNode[], masters: number): Promise<void> {
  for (const [index, { redis, port, busPort }] of nodes.entries()) {
    await redis.cluster('SET-CONFIG-EPOCH', index + 1);
    if (index < masters) await redis.call('CLUSTER', 'ADDSLOTSRANGE', ...slotRange(index, masters));
    const bus = busPort === undefined ? [] : [busPort];
    if (index > 0) await nodes[0]?.redis.call('CLUSTER', 'MEET', '127.0.0.1', port, ...bus);
  }
}

function slotRange(index: number, masters: number): [first: string, last: string] {
  const start = (master: number): number => Math.floor((SLOTS * master) / masters);
  return [String(start(index)), String(start(index + 1) - 1)];
}
