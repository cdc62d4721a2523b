import type postgres from 'postgres';
import type { Sql } from '../../database/client.ts';

/** An act of staff about a promotion that makes no new version of it. */
export interface StaffAct {
  readonly ref: number;
  readonly action:
    | 'codes_generated'
    | 'codes_imported'
    | 'codes_exported'
    | 'coupons_granted'
    | 'grant_cancelled'
    | 'coupons_revoked';
  /** From the token. */
  readonly actor: string;
  readonly reason: string;
  readonly requestId: string;
  readonly atMs: number;
}

/**
 * The audit line of an act, as a part of the statement that carries it out: it is written when the statement's part named
 * `acted` has a row, so that nothing is done unnoticed and nothing is noted that was not done.
 */
export function auditOfAct(sql: Sql, act: StaffAct): postgres.PendingQuery<postgres.Row[]> {
  return sql`
    insert into audit_entry (ref, at, actor, action, from_version, to_version, reason, changed_fields, also_issued,
      request_id)
    select ref, ${new Date(act.atMs)}::timestamptz, ${act.actor}::text, ${act.action}::text, version, version,
      ${act.reason}::text, '{}', false, ${act.requestId}::text
    from promotion
    where ref = ${act.ref}::integer and exists (select from acted)`;
}
