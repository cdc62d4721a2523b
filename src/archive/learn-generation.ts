/** Learns at the start of a process which generation of the ledger is in force. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/client.ts';
import { GenerationError, joinGeneration } from './generation.ts';
import { GENERATION_RETRY_MS } from './limits.ts';
import type { ArchivePlaces } from './places.ts';

/**
 * Asks Postgres until it answers or `signal` is aborted; answers whether it did. Throws {@link GenerationError} when the
 * configuration does not fit, or while a rebuild is under way: such a process must not go on.
 */
export async function learnGeneration(
  sql: Sql,
  places: ArchivePlaces,
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      const { generation } = await joinGeneration(sql, places.partitions);
      places.generation = generation;
      return true;
    } catch (error) {
      if (error instanceof GenerationError) throw error;
    }
    await sleep(GENERATION_RETRY_MS, undefined, { signal }).catch(() => {});
  }
  return false;
}
