/** A plain connection to whichever server holds a partition, for everything beside the lanes of claims and transactions. */
import type { Redis } from 'ioredis';
import { awaitReady, connectLedger } from './connection.ts';
import { PartitionNodes } from './partition-nodes.ts';
import { ScriptFailure } from './script-runner.ts';
import { type Connect, Topology, type TopologySettings } from './topology.ts';

/** The connection of one partition. Take it anew for every call: the partition may have moved. */
export interface PartitionConnection {
  /** Throws {@link ScriptFailure} `unreachable` while nobody is known to serve the partition. */
  redis(): Redis;
  /** To be told when a call failed, so that a partition that moved is found. */
  failed(error: unknown): void;
}

/** A partition on this very server, which never moves. */
export function fixedConnection(redis: Redis): PartitionConnection {
  return { redis: () => redis, failed: () => undefined };
}

/** The connections of all partitions. */
export interface ConnectionOfPartition {
  /** How many there are. */
  readonly partitions: number;
  of(partition: number): PartitionConnection;
}

/** One partition on this very server. */
export function fixedConnections(redis: Redis): ConnectionOfPartition {
  return { partitions: 1, of: () => fixedConnection(redis) };
}

/** Makes a call on a partition's connection and tells it when it failed. */
export async function callPartition<Answer>(
  connection: PartitionConnection,
  call: (redis: Redis) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await call(connection.redis());
  } catch (error) {
    connection.failed(error);
    throw error;
  }
}

/** What went on when nobody serves a partition. */
export function nobodyServes(partition: number): ScriptFailure {
  return new ScriptFailure('unreachable', `nobody is known to serve partition ${partition}`);
}

/** One connection per server, for the partitions it holds. */
export class PartitionConnections implements ConnectionOfPartition {
  readonly partitions: number;
  private readonly topology: Topology;
  private readonly nodes: PartitionNodes<Redis>;

  /** @param onError hears of every broken connection */
  constructor(
    settings: TopologySettings,
    name: string,
    onError: (error: Error) => void,
    connect: Connect = connectLedger,
  ) {
    this.partitions = settings.partitions;
    this.topology = new Topology(settings, connect);
    this.nodes = new PartitionNodes(this.topology, {
      open: (url) => connect({ ...settings, url }, name).on('error', onError),
      close: (redis) => redis.disconnect(),
    });
  }

  /** Finds out who serves what, and waits for them; false when not all of them answer in time. */
  async start(timeoutMs: number): Promise<boolean> {
    await this.topology.start();
    const isReady = await Promise.all(this.nodes.all().map((redis) => awaitReady(redis, timeoutMs)));
    return isReady.length > 0 && isReady.every(Boolean);
  }

  /** The connection of a partition. */
  of(partition: number): PartitionConnection {
    return {
      redis: () => {
        const redis = this.nodes.of(partition);
        if (redis === undefined) throw nobodyServes(partition);
        return redis;
      },
      failed: (error) => this.topology.failed(error),
    };
  }

  /** Closes them. */
  close(): void {
    this.nodes.close();
    this.topology.close();
  }
}
