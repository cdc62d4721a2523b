import { type Sql, withDeadline } from '../database/client.ts';
import type { BodyRow } from '../definitions/store/stored-promotion.ts';
import type { RuleSetChange } from '../domain/rule-set-change.ts';
import { RuleSetEntry } from './rule-set-entry.ts';

/** Some promotions after a rule-set version, in the order in which they were committed. */
export interface Changes {
  readonly entries: readonly RuleSetEntry[];
  /** The same as stored. */
  readonly stored: readonly RuleSetChange[];
  /** The rule-set version after the last of them; the one asked about when there are none. */
  readonly version: number;
  /** There may be more after `version`. */
  readonly isFull: boolean;
}

interface ChangeRow extends BodyRow {
  readonly rule_set_version: string;
}

function changesOf(rows: readonly ChangeRow[], after: number, limit: number): Changes {
  const read = rows.map((row) => ({ row, entry: new RuleSetEntry(row) }));
  return {
    entries: read.map(({ entry }) => entry),
    stored: read.map(({ row, entry }) => storedChange(entry, row.body, Number(row.rule_set_version))),
    version: Number(rows.at(-1)?.rule_set_version ?? after),
    isFull: rows.length === limit,
  };
}

/** The rule-set version of the last change. */
export async function readRuleSetVersion(sql: Sql, deadlineMs: number): Promise<number> {
  const [row] = await withDeadline(sql<{ version: string }[]>`select version from rule_set`, deadlineMs);
  return Number(row?.version ?? 0);
}

/** An entry as it is stored. */
export function storedChange(
  { ref, state }: RuleSetEntry,
  body: Uint8Array,
  ruleSetVersion: number,
): RuleSetChange {
  return { ref, ruleSetVersion, isDeleted: state === 'deleted', body };
}

/**
 * The promotions that changed after a rule-set version, at most `limit`, each in its current version. For a first load.
 *
 * Reading until an answer is not full leads to exactly the content of the last version read: every change takes the row
 * of `rule_set` first, so changes become visible in the order of their versions, and a promotion that changes while it is
 * read comes again later. What is known in between is the content of no version.
 */
export async function loadPromotions(
  sql: Sql,
  after: number,
  limit: number,
  deadlineMs: number,
): Promise<Changes> {
  const rows = await withDeadline(
    sql<ChangeRow[]>`
      select v.body, p.rule_set_version
      from promotion p join promotion_version v on v.ref = p.ref and v.version = p.version
      where p.rule_set_version > ${after}
      order by p.rule_set_version
      limit ${limit}`,
    deadlineMs,
  );
  return changesOf(rows, after, limit);
}

/**
 * The changes after a rule-set version, at most `limit`, every version of every promotion. So each of them leads from the
 * content of one rule-set version to that of the next.
 */
export async function loadChanges(
  sql: Sql,
  after: number,
  limit: number,
  deadlineMs: number,
): Promise<Changes> {
  const rows = await withDeadline(
    sql<ChangeRow[]>`
      select v.body, v.rule_set_version
      from promotion p join promotion_version v on v.ref = p.ref
      where p.rule_set_version > ${after} and v.rule_set_version > ${after}
      order by v.rule_set_version
      limit ${limit}`,
    deadlineMs,
  );
  return changesOf(rows, after, limit);
}
