/** How far ledger and archive are, read around the proxies. */
import { LedgerAdmin } from '../../../src/ledger/admin.ts';
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
async function generationOf({ postgres }: World): Promise<number> {
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
      const ledger = new LedgerAdmin(node.admin, generation, partition);
      const [runId, openFor, lastSeq] = await Promise.all([
        ledger.serverRunId(),
        ledger.openRunId(),
        ledger.lastSeq(),
      ]);
      const archivedSeq = archived.get(partition) ?? -1;
      return { partition, isOpen: runId === openFor, lastSeq: lastSeq ?? -1, archivedSeq };
    }),
  );
}

/** Whether every partition is open and archived to its last entry. Throws while a store does not answer. */
export async function isLevel(world: World): Promise<boolean> {
  const levels = await readLevels(world);
  return levels.every((level) => level.isOpen && level.lastSeq === level.archivedSeq);
}
