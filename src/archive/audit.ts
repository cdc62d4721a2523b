/**
 * The audit: recomputes the ledger from its own log and compares it with Redis and Postgres, while both go on working.
 */
import type { Sql } from '../database/client.ts';
import type { AuditReport } from './audit/audit-report.ts';
import { Check } from './audit/check.ts';
import { type AuditedCursor, LogOrder, readAuditedCursor, readFirstLogged } from './audit/check-log.ts';
import { checkQuarantine, checkRequestHashes } from './audit/check-rows.ts';
import { checkStream } from './audit/check-stream.ts';
import { comparePromotions } from './audit/compare-promotions.ts';
import { compareWallets } from './audit/compare-wallets.ts';
import { PromotionFold } from './audit/promotion-fold.ts';
import { archivedUsers, pagesOf, walletUsers } from './audit/user-pages.ts';
import { walkLog } from './audit/walk-log.ts';
import { WalletFold } from './audit/wallet-fold.ts';
import type { LedgerAdmin, PartitionId } from './ledger-port.ts';

/** What an audit reads; it writes nothing. */
export interface AuditDependencies {
  readonly sql: Sql;
  readonly ledger: LedgerAdmin;
  readonly id: PartitionId;
  /** Events folded in one pass over the log, by default 500,000: the memory an audit may use, at about 1 KB each. */
  readonly eventsPerPass?: number;
}

const EVENTS_PER_PASS = 500_000;
/** Wallets that move during a comparison are compared again at a later cursor, so many times. */
const ROUNDS = 3;

interface Audit extends AuditDependencies {
  readonly cursor: AuditedCursor;
  /** The log reaches back to the first entry. */
  readonly isWhole: boolean;
  readonly firstSeq: number;
  readonly checks: Checks;
}

type Checks = ReturnType<typeof createChecks>;

function createChecks() {
  return {
    stock: new Check('I1', 'issued never above the stock, at every event', [
      'events',
      'coupons issued',
      'definitions',
    ]),
    limit: new Check('I2', 'coupons of a user never above the limit in force, at every event', [
      'coupons issued',
    ]),
    once: new Check('I4', 'every coupon and every request once', ['coupons issued', 'archived coupons']),
    wallets: new Check('I6', 'wallets: Redis = events = Postgres', ['wallets', 'coupons', 'still moving']),
    promotions: new Check('I6', 'promotions: Redis = events = Postgres', ['promotions']),
    order: new Check('I7', 'one gapless history, nothing above the cursor trimmed', [
      'log entries',
      'stream entries',
      'entries held by both',
    ]),
    quarantine: new Check('Q', 'nothing in quarantine', ['events waiting', 'entries not projected']),
  };
}

/**
 * Audits one partition: I1, I2, I4, I6, I7 and the quarantine. Right on a live system (LEDGER rule 22): a wallet whose last
 * event is above the cursor is compared later or counted as still moving, a counter is compared at the entry it was read at.
 * Throws when a store cannot be read.
 */
export async function runAudit(dependencies: AuditDependencies): Promise<AuditReport> {
  const { sql, id } = dependencies;
  const checks = createChecks();
  const cursor = (await readAuditedCursor(sql, id)) ?? { seq: -1, eventsTotal: 0, payload: undefined };
  const firstSeq = (await readFirstLogged(sql, id)) ?? 0;
  const audit: Audit = { ...dependencies, checks, cursor, firstSeq, isWhole: firstSeq === 0 };
  if (!audit.isWhole) noteCutLog(checks, firstSeq);
  await auditPromotions(audit);
  await auditWallets(audit);
  await checkRequestHashes(sql, checks.once);
  await checkStream({ ...dependencies, cursor, check: checks.order });
  await checkQuarantine(sql, id, checks.quarantine);
  const results = Object.values(checks).map((check) => check.result());
  const holds = results.every((check) => check.breachCount === 0);
  return { partition: id, cursorSeq: cursor.seq, checks: results, holds };
}

function noteCutLog(checks: Checks, firstSeq: number): void {
  const remark = `the log starts at entry ${firstSeq}; what came before it is taken as it is`;
  for (const check of [
    checks.stock,
    checks.limit,
    checks.once,
    checks.wallets,
    checks.promotions,
    checks.order,
  ]) {
    check.note(remark);
  }
}

async function auditPromotions(audit: Audit): Promise<void> {
  const { sql, id, cursor, checks, firstSeq } = audit;
  const order = new LogOrder(checks.order, firstSeq);
  const fold = new PromotionFold(checks.stock, audit.isWhole);
  for await (const entry of walkLog(sql, id, firstSeq - 1, cursor.seq)) {
    order.add(entry);
    if (entry.kind === 'read') fold.add(entry.seq, entry.entry);
  }
  order.end(cursor);
  await comparePromotions({ ...audit, check: checks.promotions, fold, foldSeq: cursor.seq });
}

/** One pass over the log per share of the users, so that any number of users fits in memory. */
async function auditWallets(audit: Audit): Promise<void> {
  const passes = Math.max(1, Math.ceil(audit.cursor.eventsTotal / (audit.eventsPerPass ?? EVENTS_PER_PASS)));
  for (let pass = 0; pass < passes; pass += 1) {
    await auditShare(audit, (userId) => shareOf(userId, passes) === pass);
  }
}

function shareOf(userId: string, shares: number): number {
  let hash = 0;
  for (let index = 0; index < userId.length; index += 1)
    hash = (hash * 31 + userId.charCodeAt(index)) % 1_000_003;
  return hash % shares;
}

async function auditShare(audit: Audit, includes: (userId: string) => boolean): Promise<void> {
  const { sql, id, checks, cursor } = audit;
  const fold = new WalletFold(includes, checks, audit.isWhole);
  const seen = new Set<string>();
  let cursorSeq = await extend(audit, fold, audit.firstSeq - 1, cursor.seq);
  let moving: string[] = [];
  const compare = async (userIds: readonly string[]): Promise<void> => {
    const wallets = fold.wallets;
    const comparison = { ...audit, check: checks.wallets, wallets, cursorSeq };
    moving.push(...(await compareWallets(comparison, userIds)));
  };
  for await (const page of everyUser(audit, fold)) {
    const fresh = [...new Set(page)].filter((userId) => includes(userId) && !seen.has(userId));
    for (const userId of fresh) seen.add(userId);
    await compare(fresh);
  }
  for (let round = 1; round < ROUNDS && moving.length > 0; round += 1) {
    const later = (await readAuditedCursor(sql, id))?.seq ?? cursorSeq;
    cursorSeq = await extend(audit, fold, cursorSeq, later);
    const again = moving;
    moving = [];
    for (const page of pagesOf(again)) await compare(page);
  }
  checks.wallets.count('still moving', moving.length);
}

/** Users of Redis, of the events and of Postgres: a wallet that only one of them knows is a breach too. */
async function* everyUser(audit: Audit, fold: WalletFold): AsyncGenerator<readonly string[]> {
  yield* walletUsers(audit.ledger);
  yield* pagesOf([...fold.wallets.keys()]);
  yield* archivedUsers(audit.sql, audit.id);
}

async function extend(audit: Audit, fold: WalletFold, after: number, until: number): Promise<number> {
  for await (const entry of walkLog(audit.sql, audit.id, after, until)) {
    if (entry.kind === 'read') fold.add(entry.seq, entry.entry);
  }
  return until;
}
