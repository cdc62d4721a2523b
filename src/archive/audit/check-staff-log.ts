/**
 * The chain of hashes through staff's audit log: an entry that was changed, left out or put in between breaks it. An end that was
 * cut off does not, so the report tells the newest hash, to be compared with one that was kept elsewhere.
 */
import type { Sql } from '../../database/client.ts';
import { Check, type CheckResult } from './check.ts';

interface BrokenEntry {
  readonly id: string;
  readonly request_id: string;
}

/** Follows the chain from its first entry. One statement, so it is right while staff goes on working. */
export async function checkStaffLog(sql: Sql): Promise<CheckResult> {
  const check = new Check('S', "staff's audit log is as it was written", ['entries']);
  const broken = await sql<BrokenEntry[]>`
    WITH chained AS (
      SELECT a.id, a.request_id, a.hash,
        audit_entry_hash(coalesce(lag(a.hash) OVER (ORDER BY a.id), ''::bytea), a) AS computed
      FROM audit_entry a
    )
    SELECT id, request_id FROM chained WHERE hash <> computed ORDER BY id`;
  for (const { id, request_id } of broken)
    check.breach(`entry ${id} (request ${request_id}), or the one before it, is not what was written`);
  const [newest] = await sql<{ entries: string; id: string; hash: string }[]>`
    SELECT count(*) OVER () AS entries, id, encode(hash, 'hex') AS hash FROM audit_entry ORDER BY id DESC LIMIT 1`;
  if (newest === undefined) return check.result();
  check.count('entries', Number(newest.entries));
  check.note(`entry ${newest.id} is the newest: ${newest.hash}`);
  return check.result();
}
