import { type Sql, withDeadline } from '../database/client.ts';
import { liveState } from '../definitions/live-definition.ts';
import { type BodyRow, storedPromotion } from '../definitions/store/stored-promotion.ts';
import type { RuleSetEntry } from './rule-set.ts';

/** Some changes after a rule-set version, in the order in which they were committed. */
export interface Changes {
  readonly entries: readonly RuleSetEntry[];
  /** The rule-set version after the last of them; the one asked about when there are none. */
  readonly version: number;
  /** There may be more after `version`. */
  readonly isFull: boolean;
}

/**
 * The promotions that changed after a rule-set version, at most `limit`, each in its current version.
 *
 * Reading until an answer is not full leads to exactly the content of the last version read: every change takes the row
 * of `rule_set` first, so changes become visible in the order of their versions, and a promotion that changes while it is
 * read comes again later.
 */
export async function loadChanges(
  sql: Sql,
  after: number,
  limit: number,
  deadlineMs: number,
): Promise<Changes> {
  const rows = await withDeadline(
    sql<(BodyRow & { rule_set_version: string })[]>`
      select v.body, p.rule_set_version
      from promotion p join promotion_version v on v.ref = p.ref and v.version = p.version
      where p.rule_set_version > ${after}
      order by p.rule_set_version
      limit ${limit}`,
    deadlineMs,
  );
  return {
    entries: rows.map((row) => ruleSetEntry(row)),
    version: Number(rows.at(-1)?.rule_set_version ?? after),
    isFull: rows.length === limit,
  };
}

/** A stored body as an entry of a rule set. */
export function ruleSetEntry(row: BodyRow): RuleSetEntry {
  const { promotion } = storedPromotion(row);
  return {
    ref: promotion.ref,
    id: promotion.promotionId,
    version: promotion.version,
    state: liveState(promotion),
    promotion,
  };
}
