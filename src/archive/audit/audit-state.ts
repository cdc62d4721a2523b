import type { Sql } from '../../database/client.ts';
import type { LedgerEntry } from '../../ledger/event-format.ts';
import type { LedgerAdmin, PartitionId } from '../ledger-port.ts';
import { Check } from './check.ts';
import { type AuditedCursor, readAuditedCursor } from './check-log.ts';
import { walkLog } from './walk-log.ts';

/** What an audit reads; it writes nothing. */
export interface AuditDependencies {
  readonly sql: Sql;
  readonly ledger: LedgerAdmin;
  readonly id: PartitionId;
  /** Events folded in one pass over the log, at about 1 KB of memory each; by default as many as half of the heap's limit holds. */
  readonly eventsPerPass?: number;
}

/** An audit under way. */
export interface Audit extends AuditDependencies {
  readonly cursor: AuditedCursor;
  /** The log reaches back to the first entry. */
  readonly isWhole: boolean;
  readonly firstSeq: number;
  readonly checks: Checks;
}

/** The checks of one audit, in the order of its report. */
export type Checks = ReturnType<typeof createChecks>;

/** Begins every check. */
export function createChecks() {
  return {
    stock: new Check('I1', 'issued never above the stock, at every event', [
      'events',
      'coupons issued',
      'definitions',
      'leases',
    ]),
    limit: new Check('I2', 'coupons of a user never above the limit in force, at every event', [
      'coupons issued',
    ]),
    once: new Check('I4', 'every coupon and every request once', ['coupons issued', 'archived coupons']),
    holds: new Check('I4', 'a coupon in one order at most, and due orders as they are held, at every event', [
      'orders written',
      'coupons in orders',
    ]),
    points: new Check('I5', 'points = lots = transactions, at every event', ['points transactions']),
    wallets: new Check('I6', 'wallets: Redis = events = Postgres', ['wallets', 'coupons', 'still moving']),
    promotions: new Check('I6', 'promotions: Redis = events = Postgres', ['promotions']),
    records: new Check('I6', 'orders, accounts, uses, pools: Redis = events = Postgres', [
      'records',
      'still moving',
    ]),
    tables: new Check('I6', 'orders and points as people read them = events', [
      'orders',
      'points transactions',
    ]),
    order: new Check('I7', 'one gapless history, nothing above the cursor trimmed', [
      'log entries',
      'stream entries',
      'entries held by both',
    ]),
    uses: new Check('I8', 'uses and money counted = what orders hold', ['promotions used']),
    quarantine: new Check('Q', 'nothing in quarantine', ['events waiting', 'entries not projected']),
  };
}

/** Folds the log after one entry up to another, and answers with the latter. */
export type Walk = (after: number, until: number) => Promise<number>;

/** Makes a walk that hands every readable entry to `add`. */
export function walker({ sql, id }: Audit, add: (seq: number, entry: LedgerEntry) => void): Walk {
  return async (after, until) => {
    for await (const entry of walkLog(sql, id, after, until)) {
      if (entry.kind === 'read') add(entry.seq, entry.entry);
    }
    return until;
  };
}

/** Makes what takes a fold that stands at the audited cursor on to the archive's newest entry, time and again. */
export function advancer({ sql, id, cursor }: Audit, walk: Walk): () => Promise<number> {
  let seq = cursor.seq;
  return async () => {
    seq = await walk(seq, (await readAuditedCursor(sql, id))?.seq ?? seq);
    return seq;
  };
}
