/** How far ledger and archive are, read around the proxies. */
import { partitionKeys } from '../../../src/ledger/keys.ts';
import type { RedisNode } from './redis-node.ts';
import type { World } from './world.ts';

/** One partition at one moment; sequence numbers are -1 when there is nothing yet. */
export interface Level {
  readonly partition: number;
  /** Whether writes are accepted by the server that holds it now. */
  readonly isOpen: boolean;
  readonly lastSeq: number;
  readonly archivedSeq: number;
}

/** The generation in force. */
export async function generationOf({ postgres }: World): Promise<number> {
  const rows = await postgres.admin<{ generation: number }[]>`
    SELECT generation FROM ledger_generation WHERE state = 'current'`;
  return Number(rows[0]?.generation ?? 1);
}

/** Every partition. Throws while a store does not answer. */
export async function readLevels(world: World): Promise<Level[]> {
  const generation = await generationOf(world);
  const cursors = await world.postgres.admin<{ partition: number; seq: string }[]>`
    SELECT partition, seq FROM ledger_cursor WHERE generation = ${generation}`;
  const archived = new Map(cursors.map(({ partition, seq }) => [partition, Number(seq)]));
  const partitions = Array.from({ length: world.redis.partitions }, (_, partition) => partition);
  return await Promise.all(
    partitions.map(async (partition) => {
      const node = await world.redis.masterOf(partition);
      const { isOpen, lastSeq } = await readPartition(node, partition, world.redis.partitions);
      return { partition, isOpen, lastSeq, archivedSeq: archived.get(partition) ?? -1 };
    }),
  );
}

/** The product's own reader goes through the proxies, and by its own map of the nodes. */
async function readPartition(
  { admin }: RedisNode,
  partition: number,
  partitions: number,
): Promise<Pick<Level, 'isOpen' | 'lastSeq'>> {
  const { meta, stream } = partitionKeys(partition, partitions);
  const [server, openFor, newest] = await Promise.all([
    admin.info('server'),
    admin.hget(meta, 'open'),
    admin.xrevrange(stream, '+', '-', 'COUNT', 1),
  ]);
  const runId = /^run_id:([0-9a-f]+)/m.exec(server)?.[1];
  const lastSeq = Number(newest[0]?.[0].split('-')[1] ?? -1);
  return { isOpen: runId !== undefined && runId === openFor, lastSeq };
}

/** Whether every partition is open and archived to its last entry. Throws while a store does not answer. */
export async function isLevel(world: World): Promise<boolean> {
  const levels = await readLevels(world);
  return levels.every((level) => level.isOpen && level.lastSeq === level.archivedSeq);
}
