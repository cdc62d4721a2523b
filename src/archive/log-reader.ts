import type { Sql } from '../database/client.ts';
import type { PartitionId, StreamEntry } from './ledger-port.ts';

/** At most `limit` entries of the log after number `after`, in order. */
export async function readLogPayloads(
  sql: Sql,
  { generation, partition }: PartitionId,
  after: number,
  limit: number,
): Promise<StreamEntry[]> {
  const records = await sql<{ seq: string; payload: Buffer }[]>`
    SELECT seq, payload FROM event_log
    WHERE generation = ${generation} AND partition = ${partition} AND seq > ${after}
    ORDER BY seq LIMIT ${limit}`;
  return records.map(({ seq, payload }) => ({ seq: Number(seq), payload }));
}
