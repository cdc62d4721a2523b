/** The generations of the ledger as a rebuild changes them. */
import type { Sql } from '../../database/client.ts';
import type { Source } from './archived-records.ts';
import { RebuildRefused } from './rebuild-ports.ts';

/** From which generation a new one is made, and under which number. */
export interface Succession {
  /** The last one that was in force. */
  readonly source: Source;
  /** The source is closed already: an earlier rebuild was cut off. */
  readonly isResumed: boolean;
  readonly next: number;
  /** The most partitions any generation had; more keys than theirs there cannot be. */
  readonly mostPartitions: number;
}

interface GenerationRow {
  readonly generation: number;
  readonly partitions: number | null;
  readonly state: string;
}

/** Reads what would follow what. Throws {@link RebuildRefused} when nothing was ever begun. */
export async function readSuccession(sql: Sql): Promise<Succession> {
  const rows = await sql<GenerationRow[]>`
    SELECT generation, partitions, state FROM ledger_generation ORDER BY generation DESC`;
  const source = rows.find(({ state }) => state === 'current' || state === 'closed');
  if (source?.partitions == null)
    throw new RebuildRefused(
      'no archive process has ever worked on this ledger: there is nothing to rebuild',
    );
  return {
    source: { generation: source.generation, partitions: source.partitions },
    isResumed: source.state === 'closed',
    next: (rows[0]?.generation ?? 0) + 1,
    mostPartitions: Math.max(...rows.map(({ partitions }) => partitions ?? 1)),
  };
}

/**
 * Ends the source and begins the next generation, in one statement. The cursors of the source cannot be taken by anybody any
 * more, so an archive process that goes on finds nothing to do.
 */
export async function beginGeneration(
  sql: Sql,
  { source, next }: Succession,
  partitions: number,
  reason: string,
): Promise<void> {
  await sql`
    WITH ended AS (
      UPDATE ledger_generation SET state = CASE state WHEN 'building' THEN 'abandoned' ELSE 'closed' END,
        closed_at = coalesce(closed_at, now())
      WHERE state IN ('current', 'building')
    ),
    fenced AS (
      UPDATE ledger_cursor SET owner = ${`closed by generation ${next}`}, epoch = epoch + 1, lease_until = 'infinity'
      WHERE generation = ${source.generation}
    )
    INSERT INTO ledger_generation (generation, partitions, state, reason)
    VALUES (${next}, ${partitions}, 'building', ${reason})`;
}

/** Puts a generation in force. */
export async function finishGeneration(sql: Sql, generation: number): Promise<void> {
  await sql`UPDATE ledger_generation SET state = 'current' WHERE generation = ${generation} AND state = 'building'`;
}
