import { toBinary } from '@bufbuild/protobuf';
import type postgres from 'postgres';
import { textArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';
import { type Promotion, PromotionSchema } from '../../gen/hongbao/v1/promotion_pb.ts';
import { liveState } from '../live-definition.ts';
import { categoryOf, effectKind, reachKind } from '../promotion-kinds.ts';
import { windowEndMs } from '../promotion-view.ts';
import type { StoredPromotion } from './stored-promotion.ts';

/** What is written down about a change beside the promotion itself. */
export interface ChangeRecord {
  readonly action: 'created' | 'updated' | 'activated' | 'deactivated' | 'finished' | 'deleted';
  readonly method: string;
  readonly requestId: string;
  readonly contentDigest: Uint8Array;
  /** From the token. */
  readonly actor: string;
  readonly reason: string;
  readonly changedFields: readonly string[];
  readonly alsoIssued: boolean;
  readonly atMs: number;
}

/** The channel that tells every process that the rule set has a new version. */
export const RULE_SET_CHANNEL = 'hongbao_rule_set';

/** The outbox has one row for all partitions; see `confirmDelivery`. */
const OUTBOX_ROW = 0;

/** The process that made a change delivers it at once; the others leave it alone for this long. */
const FIRST_ATTEMPT_AFTER = '500 milliseconds';

/**
 * Writes the first version of a promotion, all its records and the notification in one statement. Throws the driver's
 * unique violation when the id or the request id is taken.
 */
export async function insertPromotion(
  sql: Sql,
  promotion: Promotion,
  record: ChangeRecord,
  deadlineMs: number,
): Promise<StoredPromotion> {
  const body = toBinary(PromotionSchema, promotion);
  const row = searchColumns(promotion, record);
  await withDeadline(
    sql`
      with bumped as (update rule_set set version = version + 1 returning version),
      changed as (
        insert into promotion (ref, id, version, state, category, way, effect, currency, priority, tags, searchable,
          window_ends_at, quantity, created_at, updated_at, deleted_at, rule_set_version)
        select ${promotion.ref}::integer, ${promotion.promotionId}::text, ${promotion.version}::integer,
          ${row.state}::text, ${row.category}::smallint, ${row.way}::smallint, ${row.effect}::smallint,
          ${row.currency}::text, ${row.priority}::integer, ${textArray(row.tags)}::text[], ${row.searchable}::text,
          ${row.windowEndsAt}::timestamptz, ${row.quantity}::bigint, ${row.at}::timestamptz, ${row.at}::timestamptz,
          ${row.deletedAt}::timestamptz, version
        from bumped
        returning ref, rule_set_version
      ),
      ${recordsOfChange(sql, promotion, body, record, null)}`,
    deadlineMs,
  );
  return { promotion, body };
}

/**
 * Writes the next version of a promotion the same way, provided its current version still is the one before; undefined
 * when it is not. `promotion.version` is the new one, `before` the one it must follow.
 */
export async function commitVersion(
  sql: Sql,
  promotion: Promotion,
  record: ChangeRecord,
  deadlineMs: number,
  before = promotion.version - 1,
): Promise<StoredPromotion | undefined> {
  const body = toBinary(PromotionSchema, promotion);
  const row = searchColumns(promotion, record);
  const rows = await withDeadline(
    sql`
      with bumped as (
        update rule_set set version = version + 1
        where exists (select from promotion where ref = ${promotion.ref} and version = ${before})
        returning version
      ),
      changed as (
        update promotion p
        set version = ${promotion.version}, state = ${row.state}, category = ${row.category}, way = ${row.way},
          effect = ${row.effect}, currency = ${row.currency}, priority = ${row.priority}, tags = ${textArray(row.tags)}::text[],
          searchable = ${row.searchable}, window_ends_at = ${row.windowEndsAt}::timestamptz,
          quantity = ${row.quantity}::bigint, updated_at = ${row.at}::timestamptz,
          deleted_at = ${row.deletedAt}::timestamptz, rule_set_version = bumped.version
        from bumped
        where p.ref = ${promotion.ref} and p.version = ${before} and p.state <> 'deleted'
        returning p.ref, p.rule_set_version
      ),
      ${recordsOfChange(sql, promotion, body, record, before)}`,
    deadlineMs,
  );
  return rows.length === 0 ? undefined : { promotion, body };
}

/** The rest of a change: every part inserts what `changed` returned, so nothing is written when it returned nothing. */
function recordsOfChange(
  sql: Sql,
  { version }: Promotion,
  body: Uint8Array,
  record: ChangeRecord,
  versionBefore: number | null,
): postgres.PendingQuery<postgres.Row[]> {
  const at = new Date(record.atMs);
  return sql`
    versioned as (
      insert into promotion_version (ref, version, body, actor, at, also_issued, rule_set_version)
      select ref, ${version}::integer, ${body}::bytea, ${record.actor}::text, ${at}::timestamptz,
        ${record.alsoIssued}::boolean, rule_set_version
      from changed
    ),
    audited as (
      insert into audit_entry (ref, at, actor, action, from_version, to_version, reason, changed_fields, also_issued,
        request_id)
      select ref, ${at}::timestamptz, ${record.actor}::text, ${record.action}::text, ${versionBefore}::integer,
        ${version}::integer, ${record.reason}::text, ${textArray(record.changedFields)}::text[],
        ${record.alsoIssued}::boolean, ${record.requestId}::text
      from changed
    ),
    recorded as (
      insert into request_record (method, request_id, content_digest, ref, version, at)
      select ${record.method}::text, ${record.requestId}::text, ${record.contentDigest}::bytea, ref,
        ${version}::integer, ${at}::timestamptz
      from changed
    ),
    queued as (
      insert into definition_outbox as o (ref, partition, version, next_attempt_at)
      select ref, ${OUTBOX_ROW}::smallint, ${version}::integer, now() + ${FIRST_ATTEMPT_AFTER}::interval
      from changed
      on conflict (ref, partition) do update
      set version = greatest(o.version, excluded.version), next_attempt_at = excluded.next_attempt_at
    )
    select ref, pg_notify(${RULE_SET_CHANNEL}, rule_set_version::text) from changed`;
}

function searchColumns(promotion: Promotion, { action, atMs }: ChangeRecord) {
  const { name, description, promotionId } = promotion;
  const endMs = windowEndMs(promotion);
  const texts = [promotionId, name?.en, name?.zh, description?.en, description?.zh];
  return {
    state: liveState(promotion),
    category: categoryOf(promotion),
    way: reachKind(promotion.reach),
    effect: effectKind(promotion.effect),
    currency: promotion.currency,
    priority: promotion.priority,
    tags: promotion.tags,
    searchable: texts.filter(Boolean).join('\n').toLowerCase(),
    windowEndsAt: endMs === undefined ? null : new Date(endMs),
    quantity: promotion.stock?.quantity?.toString() ?? null,
    at: new Date(atMs),
    deletedAt: action === 'deleted' ? new Date(atMs) : null,
  };
}
