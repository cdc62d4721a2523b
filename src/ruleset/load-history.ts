import { type Sql, withDeadline } from '../database/client.ts';
import type { BodyRow } from '../definitions/store/stored-promotion.ts';
import type { RuleSetChange } from '../domain/rule-set-change.ts';
import { storedChange } from './load-changes.ts';
import { RuleSetEntry } from './rule-set-entry.ts';

/** Promotions per statement. */
const PROMOTIONS_PER_LOAD = 2_000;

/** Whether there is, or was, a rule set with this version. */
async function wasInForce(sql: Sql, version: number, deadlineMs: number): Promise<boolean> {
  const rows = await withDeadline(sql`select from rule_set where version >= ${version}`, deadlineMs);
  return rows.length > 0;
}

/**
 * All promotions as they were at a rule-set version, oldest change first; undefined when there never was such a version. What
 * is past does not change, so it does not matter that it is read in steps. Throws a refusal when Postgres does not answer.
 */
export async function loadHistory(
  sql: Sql,
  version: number,
  deadlineMs: number,
): Promise<RuleSetChange[] | undefined> {
  if (!(await wasInForce(sql, version, deadlineMs))) return undefined;
  const changes: RuleSetChange[] = [];
  for (let after = 0, isMore = true; isMore; after = changes.at(-1)?.ref ?? after) {
    const rows = await withDeadline(
      sql<(BodyRow & { rule_set_version: string })[]>`
        select distinct on (ref) body, rule_set_version
        from promotion_version
        where rule_set_version <= ${version} and ref > ${after}
        order by ref, version desc
        limit ${PROMOTIONS_PER_LOAD}`,
      deadlineMs,
    );
    for (const row of rows) {
      changes.push(storedChange(new RuleSetEntry(row), row.body, Number(row.rule_set_version)));
    }
    isMore = rows.length === PROMOTIONS_PER_LOAD;
  }
  return changes.sort((left, right) => left.ruleSetVersion - right.ruleSetVersion);
}
