/** One Redis that syncs its append-only file before it answers. */
import { RedisNode } from './redis-node.ts';
import type { RedisTopology } from './redis-topology.ts';

/** How to start it. */
export interface SingleOptions {
  readonly directory: string;
  readonly random: () => number;
  readonly environment?: Readonly<Record<string, string>>;
  /** How long a master may be silent before the others replace it, in milliseconds; by default so short that a run sees many do it. */
  readonly downAfterMs?: number;
}

/** Starts it behind its proxy. */
export async function startSingle(options: SingleOptions): Promise<RedisTopology> {
  const node = await RedisNode.start({ name: 'redis-1', ...options });
  return {
    name: 'single',
    url: node.url,
    nodes: [node],
    partitions: 1,
    environment: {},
    masterOf: async () => node,
    masters: async () => [node],
    replicasOf: async () => [],
    isolate: () => impossible('one Redis has no others'),
    handOver: () => impossible('one Redis has no replica'),
    async repair() {
      if (!(await node.answers())) await node.restart();
    },
    close: () => node.close(),
  };
}

function impossible(why: string): never {
  throw new Error(why);
}
