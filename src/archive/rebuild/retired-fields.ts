/** Fields that left Redis and stay in the archive: they move to the next generation, so that a late return finds them. */
import { bytesArray, plainArray, textArray } from '../../database/array-literal.ts';
import type { Sql } from '../../database/client.ts';
import { partitionOf } from '../../ledger/keys.ts';
import { ORDER_FIELDS } from '../../ledger/record-fields.ts';
import { REBUILD_FIELDS_PER_PAGE } from '../limits.ts';
import type { Source } from './archived-records.ts';

interface RetiredRow {
  readonly target: string;
  readonly id: string;
  readonly field: Buffer;
  readonly value: Buffer;
}

/** Copies them; `onField` hears each record's id, and the bytes of an order's head. May be repeated. */
export async function copyRetired(
  sql: Sql,
  source: Source,
  next: Source,
  onField: (id: string, head: Buffer | undefined) => void,
): Promise<void> {
  for (let partition = 0; partition < source.partitions; partition += 1) {
    for await (const rows of pages(sql, source.generation, partition)) {
      for (const { target, id, field, value } of rows) {
        const isHead = target === 'order' && field.toString('latin1') === ORDER_FIELDS.head.name;
        onField(id, isHead ? value : undefined);
      }
      await write(sql, source, next, partition, rows);
    }
  }
}

async function* pages(sql: Sql, generation: number, partition: number): AsyncGenerator<RetiredRow[]> {
  let after: Pick<RetiredRow, 'target' | 'id' | 'field'> = { target: '', id: '', field: Buffer.alloc(0) };
  for (;;) {
    const rows = await sql<RetiredRow[]>`
      SELECT target, id, field, value FROM ledger_field
      WHERE generation = ${generation} AND partition = ${partition} AND retired
        AND (target, id, field) > (${after.target}, ${after.id}, ${after.field})
      ORDER BY target, id, field LIMIT ${REBUILD_FIELDS_PER_PAGE}`;
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last;
  }
}

async function write(
  sql: Sql,
  source: Source,
  next: Source,
  from: number,
  rows: readonly RetiredRow[],
): Promise<void> {
  const isAlike = source.partitions === next.partitions;
  const places = rows.map(({ target, id }) => {
    const isOfUser = target === 'wallet' || target === 'account' || target === 'order';
    if (isOfUser) return partitionOf(id.split('/')[0] ?? '', next.partitions);
    return isAlike ? from : 0;
  });
  await sql`
    INSERT INTO ledger_field (generation, partition, target, id, field, value, seq, event_index, retired)
    SELECT ${next.generation}::integer, place, target, id, field, value, 0, 0, true
    FROM unnest(
      ${plainArray(places)}::integer[],
      ${textArray(rows.map((row) => row.target))}::text[],
      ${textArray(rows.map((row) => row.id))}::text[],
      ${bytesArray(rows.map((row) => row.field))}::bytea[],
      ${bytesArray(rows.map((row) => row.value))}::bytea[]
    ) AS row (place, target, id, field, value)
    ON CONFLICT (generation, partition, target, id, field) DO NOTHING`;
}
