/**
 * Which generation of the ledger is in force, and how many partitions it has. Postgres says it: a process reads it at its
 * start, so that nobody works on a history that a rebuild has ended.
 */
import type { Sql } from '../database/client.ts';

/** A generation of the ledger. */
export interface Generation {
  readonly generation: number;
  /** Undefined until its first archive process has stated it. */
  readonly partitions: number | undefined;
}

/** No generation is in force, or it is of another shape than the configuration says. The message says what to do. */
export class GenerationError extends Error {
  override readonly name = 'GenerationError';
}

interface GenerationRow {
  readonly generation: number;
  readonly partitions: number | null;
  readonly state: string;
}

/** The generation in force. Throws {@link GenerationError} while a rebuild is under way, and the driver's errors. */
export async function readGeneration(sql: Sql): Promise<Generation> {
  const rows = await sql<GenerationRow[]>`
    SELECT generation, partitions, state FROM ledger_generation ORDER BY generation DESC`;
  const current = rows.find(({ state }) => state === 'current');
  if (current !== undefined) return generationOf(current);
  const [newest] = rows;
  throw new GenerationError(
    `no generation of the ledger is in force: generation ${newest?.generation} is ${newest?.state}; ` +
      'finish it with "hongbao rebuild redis"',
  );
}

/**
 * The generation in force, for a process that works with `partitions` partitions and changes nothing. Throws
 * {@link GenerationError} when it is made for another number, as only a rebuild changes it.
 */
export async function checkGeneration(sql: Sql, partitions: number): Promise<Generation> {
  const current = await readGeneration(sql);
  if (current.partitions === undefined || current.partitions === partitions) return current;
  throw new GenerationError(
    `generation ${current.generation} of the ledger has ${current.partitions} partitions, the configuration says ` +
      `${partitions}: another number is made by "hongbao rebuild redis --partitions ${partitions}"`,
  );
}

/** The same, for a process that keeps the ledger: the first one to ask for a new generation fixes the number of its partitions. */
export async function joinGeneration(sql: Sql, partitions: number): Promise<Generation> {
  await sql`
    UPDATE ledger_generation SET partitions = ${partitions} WHERE state = 'current' AND partitions IS NULL`;
  return await checkGeneration(sql, partitions);
}

function generationOf({ generation, partitions }: GenerationRow): Generation {
  return { generation, partitions: partitions ?? undefined };
}
