/**
 * What the projections have and Redis had not when everything was written anew: it left Redis in the hole. Orders, coupons, the
 * marks of such coupons and old counters leave after retention and are kept for late returns; whatever else is gone was removed.
 */
import type { Sql } from '../../database/client.ts';
import type { PartitionId } from '../ledger-port.ts';

/** How much there was. */
export interface Stale {
  readonly coupons: number;
  readonly fields: number;
}

/** Settles it; `carriedSeq` is the first entry that wrote everything anew. */
export async function retireStale(
  sql: Sql,
  { generation, partition }: PartitionId,
  carriedSeq: number,
): Promise<Stale> {
  const coupons = await sql`
    UPDATE coupon SET retired = true
    WHERE generation = ${generation} AND partition = ${partition} AND NOT retired AND seq < ${carriedSeq}`;
  const kept = await sql`
    UPDATE ledger_field AS stale SET retired = true
    WHERE generation = ${generation} AND partition = ${partition} AND NOT retired AND seq < ${carriedSeq}
      AND (
        target = 'usage'
        OR (target = 'account' AND octet_length(field) = 17 AND substring(field FROM 1 FOR 1) IN ('>', '~', '$'))
        OR (target = 'order' AND NOT EXISTS (
          SELECT FROM ledger_field AS live
          WHERE live.generation = stale.generation AND live.partition = stale.partition AND live.target = stale.target
            AND live.id = stale.id AND live.seq >= ${carriedSeq}))
      )`;
  const removed = await sql`
    DELETE FROM ledger_field
    WHERE generation = ${generation} AND partition = ${partition} AND NOT retired AND seq < ${carriedSeq}`;
  return { coupons: coupons.count, fields: kept.count + removed.count };
}
