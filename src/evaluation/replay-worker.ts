/** A worker thread for decisions by earlier rules. Piscina starts it and calls the default export with each replay. */
import { workerData } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import { RuleTable } from '../engine/rule-table.ts';
import { answerItem } from './answer-item.ts';
import { REPLAYED_RULE_SETS_KEPT } from './limits.ts';
import { readPromotion } from './read-promotion.ts';
import type { ReplayTask } from './replay-pool.ts';
import { ruleChanges } from './rule-follower.ts';
import type { WorkerSettings } from './rule-generation.ts';
import { RuleLogReader } from './rule-log.ts';
import { serveBatch } from './serve-batch.ts';

const { couponsPerOrder }: Pick<WorkerSettings, 'couponsPerOrder'> = workerData;
const tables = new LRUCache<number, RuleTable>({ max: REPLAYED_RULE_SETS_KEPT });

/** The compiled rules of a version. Faults were reported when the version was in force. */
function tableOf({ version, rules }: ReplayTask): RuleTable {
  const known = tables.get(version);
  if (known !== undefined) return known;
  const table = new RuleTable();
  const changes = new RuleLogReader(rules).read(Number.POSITIVE_INFINITY);
  table.change(ruleChanges(changes, readPromotion, []), version);
  tables.set(version, table);
  return table;
}

/** Serves one replay. */
export default (task: ReplayTask): Uint8Array => {
  const table = tableOf(task);
  return serveBatch(task.batch, (item) => answerItem(item, table, couponsPerOrder));
};
