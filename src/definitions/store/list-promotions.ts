import { plainArray, textArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';
import { PromotionOrder } from '../../gen/hongbao/v1/promotion_service_pb.ts';
import { type BodyRow, type StoredPromotion, storedPromotion } from './stored-promotion.ts';

/** Sort key of a row, the most significant number first; all are safe integers. */
export type PageKey = readonly [number, number];

/** Filters that Postgres decides; an empty list or text, or an absent time, does not filter. */
export interface PromotionFilter {
  /** States set by hand that may show as one of those asked for. */
  readonly storedStates: readonly string[];
  readonly categories: readonly number[];
  readonly ways: readonly number[];
  readonly effects: readonly number[];
  readonly tag: string;
  readonly searchText: string;
  readonly currency: string;
  readonly createdFromMs: number | undefined;
  readonly createdUntilMs: number | undefined;
}

/** A row of a list with the key that continues after it. */
export interface ListedPromotion extends StoredPromotion {
  readonly key: PageKey;
}

interface ListRow extends BodyRow {
  readonly first_key: string;
  readonly ref: number;
}

/**
 * One stretch of the list after a key. The keys are made of what never changes, or only grows, so a promotion that is
 * written to between two pages is never listed twice.
 */
export async function listPromotions(
  sql: Sql,
  filter: PromotionFilter,
  page: { readonly order: PromotionOrder; readonly after: PageKey | undefined; readonly limit: number },
  deadlineMs: number,
): Promise<ListedPromotion[]> {
  const sort = sortOf(sql, page.order);
  const [firstKey, ref] = page.after ?? [null, null];
  const rows = await withDeadline(
    sql<ListRow[]>`
      select v.body, (${sort.expression})::text as first_key, p.ref
      from promotion p join promotion_version v on v.ref = p.ref and v.version = p.version
      where p.state = any(${textArray(filter.storedStates)}::text[])
        and (cardinality(${plainArray(filter.categories)}::smallint[]) = 0 or p.category = any(${plainArray(filter.categories)}::smallint[]))
        and (cardinality(${plainArray(filter.ways)}::smallint[]) = 0 or p.way = any(${plainArray(filter.ways)}::smallint[]))
        and (cardinality(${plainArray(filter.effects)}::smallint[]) = 0 or p.effect = any(${plainArray(filter.effects)}::smallint[]))
        and (${filter.tag}::text = '' or p.tags @> array[${filter.tag}::text])
        and (${filter.searchText}::text = '' or position(${filter.searchText}::text in p.searchable) > 0)
        and (${filter.currency}::text = '' or p.currency = ${filter.currency}::text)
        and (${instant(filter.createdFromMs)}::timestamptz is null or p.created_at >= ${instant(filter.createdFromMs)}::timestamptz)
        and (${instant(filter.createdUntilMs)}::timestamptz is null or p.created_at < ${instant(filter.createdUntilMs)}::timestamptz)
        and (${firstKey}::bigint is null
          or (${sort.expression}, p.ref) ${sort.comparison} (${firstKey}::bigint, ${ref}::integer))
      order by ${sort.expression} ${sort.direction}, p.ref ${sort.direction}
      limit ${page.limit}`,
    deadlineMs,
  );
  return rows.map((row) => ({ ...storedPromotion(row), key: [Number(row.first_key), row.ref] }));
}

function sortOf(sql: Sql, order: PromotionOrder) {
  const ascending = order === PromotionOrder.OLDEST_FIRST;
  return {
    expression: sortExpression(sql, order),
    comparison: ascending ? sql`>` : sql`<`,
    direction: ascending ? sql`asc` : sql`desc`,
  };
}

function sortExpression(sql: Sql, order: PromotionOrder) {
  switch (order) {
    case PromotionOrder.RECENTLY_UPDATED:
      return sql`p.rule_set_version`;
    case PromotionOrder.PRIORITY:
      return sql`p.priority`;
    default:
      return sql`p.ref`;
  }
}

function instant(ms: number | undefined): Date | null {
  return ms === undefined ? null : new Date(ms);
}
