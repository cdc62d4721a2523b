/**
 * The audit: recomputes the ledger from its own log and compares it with Redis and Postgres, while both go on working.
 */
import { getHeapStatistics } from 'node:v8';
import type { AuditReport } from './audit/audit-report.ts';
import { auditShare } from './audit/audit-share.ts';
import {
  type Audit,
  type AuditDependencies,
  advancer,
  type Checks,
  createChecks,
  walker,
} from './audit/audit-state.ts';
import { type Beginning, readBeginning } from './audit/beginning.ts';
import { LogOrder, readAuditedCursor, readFirstLogged } from './audit/check-log.ts';
import { checkQuarantine, checkRequestHashes } from './audit/check-rows.ts';
import { checkStream } from './audit/check-stream.ts';
import { checkUsage, UsageFold } from './audit/check-uses.ts';
import { comparePromotions } from './audit/compare-promotions.ts';
import { compareRecords } from './audit/compare-records.ts';
import { type Compared, compareInRounds } from './audit/compare-rounds.ts';
import type { UseFigures } from './audit/order-uses.ts';
import { PoolFold } from './audit/pool-fold.ts';
import { PromotionFold } from './audit/promotion-fold.ts';
import { TouchedRecords } from './audit/touched-records.ts';
import { archivedRecords, liveRecords, pagesOf } from './audit/user-pages.ts';
import type { DecodedEntry } from './decoded-entry.ts';

/** Heap reserved for an event while its record is folded and compared, in bytes: claims took less than half of it. */
const EVENT_HEAP_BYTES = 1_000;
/** Share of the heap's limit that one pass may fill. */
const HEAP_SHARE = 0.5;
/** A Map holds 16.7 million keys at most; an event may bring more than one. */
const EVENTS_PER_PASS_MAX = 8_000_000;

/** Audits of one partition that are begun; segments leave the log so seldom that the second one goes through. */
const BEGINS_MAX = 3;

/**
 * Audits one partition: I1, I2, I4 to I8 and the quarantine. Right on a live system (LEDGER rule 22): a wallet or record whose
 * last event is above the cursor is compared later or counted as still moving, a counter at the entry it was read at.
 * Throws when a store cannot be read.
 */
export async function runAudit(dependencies: AuditDependencies): Promise<AuditReport> {
  for (let begun = 1; ; begun += 1) {
    const { report, firstLogged } = await auditOnce(dependencies);
    const { sql, id } = dependencies;
    // A segment that was detached meanwhile looks like a gap.
    if (begun === BEGINS_MAX || (await readFirstLogged(sql, id)) === firstLogged) return report;
  }
}

async function auditOnce(
  dependencies: AuditDependencies,
): Promise<{ readonly report: AuditReport; readonly firstLogged: number | undefined }> {
  const { sql, id } = dependencies;
  const checks = createChecks();
  const cursor = (await readAuditedCursor(sql, id)) ?? { seq: -1, eventsTotal: 0, payload: undefined };
  const beginning = await readBeginning(sql, id);
  const audit: Audit = { ...dependencies, checks, cursor, ...beginning };
  noteBeginning(checks, beginning);
  await auditLog(audit);
  await checkRequestHashes(sql, checks.once);
  await checkStream({ ...dependencies, cursor, check: checks.order });
  await checkQuarantine(sql, id, checks.quarantine);
  const results = Object.values(checks).map((check) => check.result());
  const holds = results.every((check) => check.breachCount === 0);
  const report = { partition: id, cursorSeq: cursor.seq, checks: results, holds };
  return { report, firstLogged: beginning.firstLogged };
}

function noteBeginning(checks: Checks, { isWhole, remarks, breaches }: Beginning): void {
  for (const breach of breaches) checks.order.breach(breach);
  for (const remark of remarks) checks.order.note(remark);
  if (isWhole) return;
  const { quarantine: _, order: __, ...historical } = checks;
  for (const check of Object.values(historical))
    check.note('what came before the log begins is taken as it is');
}

/**
 * One pass over the log per share of the users, so that any number of users fits in memory. What is about no user is small and
 * comes along in the first one.
 */
async function auditLog(audit: Audit): Promise<void> {
  const { cursor, checks, firstSeq, isWhole } = audit;
  const passes = Math.max(1, Math.ceil(cursor.eventsTotal / (audit.eventsPerPass ?? eventsThatFit())));
  const order = new LogOrder(checks.order, firstSeq);
  const promotions = new PromotionFold(checks.stock, isWhole);
  const usage = new UsageFold();
  const pools = new PoolFold(checks.stock, isWhole);
  const counted = new Map<number, UseFigures>();
  const alongside = (entry: DecodedEntry): void => {
    order.add(entry);
    if (entry.kind !== 'read') return;
    promotions.add(entry.seq, entry.entry);
    usage.add(entry.seq, entry.entry);
    pools.add(entry.seq, entry.entry);
  };
  for (let pass = 0; pass < passes; pass += 1) {
    const includes = (userId: string): boolean => shareOf(userId, passes) === pass;
    await auditShare({ ...audit, includes, counted, ...(pass === 0 && { alongside }) });
  }
  order.end(cursor);
  await comparePromotions({ ...audit, check: checks.promotions, fold: promotions, foldSeq: cursor.seq });
  if (isWhole) checkUsage(checks.uses, usage, counted);
  await compareShared(audit, { usage, pool: pools });
}

function eventsThatFit(): number {
  const bytes = getHeapStatistics().heap_size_limit * HEAP_SHARE;
  return Math.min(EVENTS_PER_PASS_MAX, Math.ceil(bytes / EVENT_HEAP_BYTES));
}

function shareOf(userId: string, shares: number): number {
  let hash = 0;
  for (let index = 0; index < userId.length; index += 1)
    hash = (hash * 31 + userId.charCodeAt(index)) % 1_000_003;
  return hash % shares;
}

/** Records of promotions that are about no user, compared while they go on. */
async function compareShared(
  audit: Audit,
  folds: Readonly<Record<'usage' | 'pool', UsageFold | PoolFold>>,
): Promise<void> {
  const { sql, id, ledger, checks, cursor } = audit;
  const walk = walker(audit, (seq, entry) => {
    for (const fold of Object.values(folds)) fold.add(seq, entry);
  });
  const comparison = { ...audit, check: checks.records, touched: new TouchedRecords(ledger, cursor.seq) };
  const comparedOf = (target: 'usage' | 'pool'): Compared => ({
    ids: async function* () {
      yield* liveRecords(ledger, target);
      yield* pagesOf(folds[target].records.keys());
      yield* archivedRecords(sql, id, target);
    },
    includes: () => true,
    compare: (refs, seq) => compareRecords(comparison, target, folds[target].records, refs, seq),
    leftMoving: (count) => checks.records.count('still moving', count),
  });
  await compareInRounds([comparedOf('usage'), comparedOf('pool')], cursor.seq, advancer(audit, walk));
}
