import type { Sql } from '../../database/client.ts';
import type { PartitionId } from '../ledger-port.ts';
import type { Check } from './check.ts';

interface OpenEvent {
  readonly seq: string;
  readonly event_index: number;
  readonly error: string;
}

/** Nothing waits in quarantine, and no entry of the log is left unprojected. */
export async function checkQuarantine(
  sql: Sql,
  { generation, partition }: PartitionId,
  check: Check,
): Promise<void> {
  const open = await sql<OpenEvent[]>`
    SELECT seq, event_index, error FROM quarantine
    WHERE generation = ${generation} AND partition = ${partition} AND settled_at IS NULL ORDER BY seq, event_index`;
  check.count('events waiting', open.length);
  for (const event of open) check.breach(`event ${event.seq}:${event.event_index} waits: ${event.error}`);
  const [log] = await sql<{ entries: string; waiting: string }[]>`
    SELECT count(*) FILTER (WHERE NOT projected AND NOT EXISTS (
      SELECT 1 FROM quarantine WHERE quarantine.generation = event_log.generation
        AND quarantine.partition = event_log.partition AND quarantine.seq = event_log.seq AND settled_at IS NULL
    )) AS entries, count(*) FILTER (WHERE NOT projected) AS waiting
    FROM event_log WHERE generation = ${generation} AND partition = ${partition}`;
  check.count('entries not projected', Number(log?.waiting ?? 0));
  const lost = Number(log?.entries ?? 0);
  check.require(lost === 0, () => `${lost} entries are not projected and no event of them waits`);
}

/** Each request issued at most one coupon: no wallet field occurs in two coupon ids. */
export async function checkRequestHashes(sql: Sql, check: Check): Promise<void> {
  const doubled = await sql<{ hash: string; coupons: string }[]>`
    SELECT encode(substring(coupon_id FROM 7), 'hex') AS hash, count(*) AS coupons
    FROM coupon GROUP BY substring(coupon_id FROM 7) HAVING count(*) > 1 LIMIT 100`;
  for (const { hash, coupons } of doubled) check.breach(`${coupons} coupons carry the request hash ${hash}`);
  const [total] = await sql<{ coupons: string }[]>`SELECT count(*) AS coupons FROM coupon`;
  check.count('archived coupons', Number(total?.coupons ?? 0));
}
