/** Learns at the start of a process which generation of the ledger is in force. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/client.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import { describeFault } from './describe-fault.ts';
import { GenerationError, joinGeneration } from './generation.ts';
import { GENERATION_RETRY_MS } from './limits.ts';
import type { ArchivePlaces } from './places.ts';

/** What is asked, and who is told why it does not answer. */
export interface GenerationSource {
  readonly sql: Sql;
  readonly logger: Logger;
}

/**
 * Asks Postgres until it answers or `signal` is aborted; answers whether it did. Why it does not is logged once for each reason: a
 * store that is away comes back by itself, one that refuses this process its rights does not. Throws {@link GenerationError} when
 * the configuration does not fit, or while a rebuild is under way: such a process must not go on.
 */
export async function learnGeneration(
  { sql, logger }: GenerationSource,
  places: ArchivePlaces,
  signal: AbortSignal,
): Promise<boolean> {
  let lastReason: string | undefined;
  while (!signal.aborted) {
    try {
      const { generation } = await joinGeneration(sql, places.partitions);
      places.generation = generation;
      return true;
    } catch (error) {
      if (error instanceof GenerationError) throw error;
      const fault = describeFault(error);
      const line = { event: LOG_EVENTS.ledgerGeneration, ...fault };
      if (fault.reason !== lastReason) logger.warn(line, 'the generation of the ledger is not known yet');
      lastReason = fault.reason;
    }
    await sleep(GENERATION_RETRY_MS, undefined, { signal }).catch(() => {});
  }
  return false;
}
