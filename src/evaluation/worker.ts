/** A worker thread for decisions by the rules in force. Piscina starts it and calls the default export with each batch. */
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { move } from 'piscina';
import { RuleTable } from '../engine/rule-table.ts';
import { answerItem } from './answer-item.ts';
import { readPromotion } from './read-promotion.ts';
import { RuleFollower } from './rule-follower.ts';
import type { WorkerSettings } from './rule-generation.ts';
import { RuleLogReader } from './rule-log.ts';
import type { RuleReport } from './rule-report.ts';
import { serveBatch } from './serve-batch.ts';

const { rules, couponsPerOrder }: WorkerSettings = workerData;
const table = new RuleTable();
const follower = new RuleFollower({
  reader: new RuleLogReader(rules),
  table,
  readPromotion,
  caughtUp: (faults) => {
    const report: RuleReport = { threadId, version: table.version, faults };
    parentPort?.postMessage(report);
  },
});

// Before this module is loaded no task comes, so a new thread never decides by half a rule set.
follower.catchUpWholly();
void follower.follow();

/** Serves one batch. */
export default (task: Uint8Array): unknown => {
  follower.catchUp();
  return move(serveBatch(task, (item) => answerItem(item, table, couponsPerOrder)));
};
