import { type Sql, withDeadline } from '../../database/client.ts';
import { Refusal } from '../../domain/refusal.ts';
import { type BodyRow, type StoredPromotion, storedPromotion } from './stored-promotion.ts';

/** The current version of a promotion. Throws PROMOTION_NOT_FOUND, also for a deleted one. */
export async function readPromotion(sql: Sql, id: string, deadlineMs: number): Promise<StoredPromotion> {
  const rows = await withDeadline(
    sql<BodyRow[]>`
      select v.body
      from promotion p join promotion_version v on v.ref = p.ref and v.version = p.version
      where p.id = ${id} and p.state <> 'deleted'`,
    deadlineMs,
  );
  return storedPromotion(onlyRow(rows));
}

/** The current version by ref, deleted ones too; undefined when no promotion has this ref. */
export async function readPromotionByRef(
  sql: Sql,
  ref: number,
  deadlineMs: number,
): Promise<StoredPromotion | undefined> {
  const [row] = await withDeadline(
    sql<BodyRow[]>`
      select v.body
      from promotion p join promotion_version v on v.ref = p.ref and v.version = p.version
      where p.ref = ${ref}`,
    deadlineMs,
  );
  return row && storedPromotion(row);
}

/** One version by ref; undefined when there is none. */
export async function readVersion(
  sql: Sql,
  ref: number,
  version: number,
  deadlineMs: number,
): Promise<StoredPromotion | undefined> {
  const [row] = await withDeadline(
    sql<BodyRow[]>`select body from promotion_version where ref = ${ref} and version = ${version}::bigint`,
    deadlineMs,
  );
  return row && storedPromotion(row);
}

/** One version of a promotion by its id, deleted promotions included. Throws PROMOTION_NOT_FOUND. */
export async function readVersionOf(
  sql: Sql,
  id: string,
  version: number,
  deadlineMs: number,
): Promise<StoredPromotion> {
  const rows = await withDeadline(
    sql<BodyRow[]>`
      select v.body
      from promotion p join promotion_version v on v.ref = p.ref
      where p.id = ${id} and v.version = ${version}::bigint`,
    deadlineMs,
  );
  return storedPromotion(onlyRow(rows));
}

/** Versions below `below` (all when undefined), newest first, deleted promotions included; empty when there are none. */
export async function readVersions(
  sql: Sql,
  id: string,
  page: { readonly below: number | undefined; readonly limit: number },
  deadlineMs: number,
): Promise<StoredPromotion[]> {
  const rows = await withDeadline(
    sql<BodyRow[]>`
      select v.body
      from promotion p join promotion_version v on v.ref = p.ref
      where p.id = ${id} and (${page.below ?? null}::integer is null or v.version < ${page.below ?? null}::integer)
      order by v.version desc
      limit ${page.limit}`,
    deadlineMs,
  );
  return rows.map(storedPromotion);
}

/** The refusal for an id no promotion has. */
export function promotionNotFound(): Refusal {
  return new Refusal('PROMOTION_NOT_FOUND', 'there is no such promotion');
}

function onlyRow(rows: readonly BodyRow[]): BodyRow {
  const [row] = rows;
  if (row === undefined) throw promotionNotFound();
  return row;
}
