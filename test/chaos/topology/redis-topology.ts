/** The Redis side of a run, whatever its shape. */
import type { Undo } from '../proxy/fault-proxy.ts';
import type { RedisNode } from './redis-node.ts';

/** The shapes a run can have. */
export const TOPOLOGIES = ['single', 'replica', 'cluster'] as const;

/** One of them. */
export type TopologyName = (typeof TOPOLOGIES)[number];

/** Redis servers that belong together, each behind a proxy. */
export interface RedisTopology {
  readonly name: TopologyName;
  /** What the product is given as REDIS_URL; leads through the proxies. */
  readonly url: string;
  readonly nodes: readonly RedisNode[];
  /** Partitions of the ledger. */
  readonly partitions: number;
  /** Further variables of the product. */
  readonly environment: Readonly<Record<string, string>>;
  /** Resolves with the node that holds a partition now; throws while there is none. */
  masterOf(partition: number): Promise<RedisNode>;
  /** The nodes that hold partitions now. */
  masters(): Promise<RedisNode[]>;
  /** Replicas of a master that are up. */
  replicasOf(master: RedisNode): Promise<RedisNode[]>;
  /** Other stores and a master do not reach each other any more, while the product reaches all. */
  isolate(master: RedisNode): Undo;
  /** Asks for an orderly change of roles. */
  handOver(master: RedisNode, replica: RedisNode): Promise<void>;
  /** Starts what has ended, joins it up again, and resolves when every replica follows its master. */
  repair(): Promise<void>;
  close(): Promise<void>;
}
