import { textArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';

/** Filters of the audit log; an empty text or list, or an absent time, does not filter. */
export interface AuditFilter {
  readonly promotionId: string;
  readonly actor: string;
  readonly actions: readonly string[];
  readonly fromMs: number | undefined;
  readonly untilMs: number | undefined;
}

/** One line of the audit log as stored. */
export interface AuditRow {
  readonly id: string;
  readonly promotion_id: string;
  readonly to_version: number;
  readonly action: string;
  readonly actor: string;
  readonly reason: string;
  readonly request_id: string;
  readonly at: Date;
  readonly changed_fields: string[];
  readonly also_issued: boolean;
}

/** Entries below the id `below` (all when undefined), newest first. */
export async function readAuditEntries(
  sql: Sql,
  filter: AuditFilter,
  page: { readonly below: number | undefined; readonly limit: number },
  deadlineMs: number,
): Promise<readonly AuditRow[]> {
  const below = page.below ?? null;
  return await withDeadline(
    sql<AuditRow[]>`
      select a.id::text, p.id as promotion_id, a.to_version, a.action, a.actor, a.reason, a.request_id, a.at,
        to_jsonb(a.changed_fields) as changed_fields, a.also_issued
      from audit_entry a join promotion p on p.ref = a.ref
      where (${filter.promotionId}::text = '' or p.id = ${filter.promotionId}::text)
        and (${filter.actor}::text = '' or a.actor = ${filter.actor}::text)
        and (cardinality(${textArray(filter.actions)}::text[]) = 0 or a.action = any(${textArray(filter.actions)}::text[]))
        and (${instant(filter.fromMs)}::timestamptz is null or a.at >= ${instant(filter.fromMs)}::timestamptz)
        and (${instant(filter.untilMs)}::timestamptz is null or a.at < ${instant(filter.untilMs)}::timestamptz)
        and (${below}::bigint is null or a.id < ${below}::bigint)
      order by a.id desc
      limit ${page.limit}`,
    deadlineMs,
  );
}

function instant(ms: number | undefined): Date | null {
  return ms === undefined ? null : new Date(ms);
}
