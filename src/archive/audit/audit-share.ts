import type { DecodedEntry } from '../decoded-entry.ts';
import { userOfRecord } from './apply-write.ts';
import { type Audit, advancer, walker } from './audit-state.ts';
import { checkUserUses } from './check-uses.ts';
import { compareDue, compareRecords } from './compare-records.ts';
import { type Compared, compareInRounds } from './compare-rounds.ts';
import { comparePoints, compareRedemptions } from './compare-tables.ts';
import { compareWallets } from './compare-wallets.ts';
import type { UseFigures } from './order-uses.ts';
import { TouchedRecords } from './touched-records.ts';
import { UserFold } from './user-fold.ts';
import {
  archivedOrders,
  archivedRecords,
  archivedUsers,
  liveRecords,
  pagesOf,
  walletUsers,
} from './user-pages.ts';
import { walkLog } from './walk-log.ts';

/** A share of the users, and where what their orders count is added up. */
export interface ShareAudit extends Audit {
  readonly includes: (userId: string) => boolean;
  readonly counted: Map<number, UseFigures>;
  /** Sees the log as well, while it is walked for the users. */
  readonly alongside?: (entry: DecodedEntry) => void;
}

interface Share extends ShareAudit {
  readonly fold: UserFold;
  readonly touched: TouchedRecords;
}

/** Checks every event of a share of the users, and compares their wallets, accounts and orders. */
export async function auditShare(audit: ShareAudit): Promise<void> {
  const { ledger, checks, cursor, firstSeq, isWhole } = audit;
  const fold = new UserFold(audit.includes, checks, isWhole);
  for await (const entry of walkLog(audit.sql, audit.id, firstSeq - 1, cursor.seq)) {
    audit.alongside?.(entry);
    if (entry.kind === 'read') fold.add(entry.seq, entry.entry);
  }
  fold.uses.addTo(audit.counted);
  if (isWhole) checkUserUses(checks.uses, fold);
  const share: Share = { ...audit, fold, touched: new TouchedRecords(ledger, cursor.seq) };
  const compared = [wallets(share), accounts(share), orders(share), dueOrders(share)];
  await compareInRounds(
    compared,
    cursor.seq,
    advancer(
      audit,
      walker(audit, (seq, entry) => fold.add(seq, entry)),
    ),
  );
}

/** Users of Redis, of the events and of Postgres: a wallet that only one of them knows is a breach too. */
function wallets(share: Share): Compared {
  const { sql, id, ledger, fold, checks } = share;
  return {
    ids: async function* () {
      yield* walletUsers(ledger);
      yield* pagesOf(fold.wallets.keys());
      yield* archivedUsers(sql, id);
    },
    includes: share.includes,
    compare: (userIds, cursorSeq) => {
      return compareWallets({ ...share, check: checks.wallets, wallets: fold.wallets, cursorSeq }, userIds);
    },
    leftMoving: (count) => checks.wallets.count('still moving', count),
  };
}

function accounts(share: Share): Compared {
  const { sql, id, ledger, fold, checks, firstSeq } = share;
  return {
    ids: async function* () {
      yield* liveRecords(ledger, 'account');
      yield* pagesOf(fold.accounts.keys());
      yield* archivedRecords(sql, id, 'account');
    },
    includes: share.includes,
    compare: async (userIds, cursorSeq) => {
      const comparison = { ...share, check: checks.records };
      const moving = await compareRecords(comparison, 'account', fold.accounts, userIds, cursorSeq);
      const quiet = userIds.filter((userId) => !moving.includes(userId));
      const transactionsOf = (userId: string) => fold.pointsOf(userId);
      await comparePoints({ ...share, check: checks.tables }, transactionsOf, quiet, { firstSeq, cursorSeq });
      return moving;
    },
    leftMoving: (count) => checks.records.count('still moving', count),
  };
}

function orders(share: Share): Compared {
  const { sql, id, ledger, fold, checks } = share;
  return {
    ids: async function* () {
      yield* liveRecords(ledger, 'order');
      yield* pagesOf(fold.orders.keys());
      yield* archivedRecords(sql, id, 'order');
      yield* archivedOrders(sql, id);
    },
    includes: (order) => share.includes(userOfRecord(order)),
    compare: async (ids, cursorSeq) => {
      const comparison = { ...share, check: checks.records };
      // The table first: a row newer than the cursor shows in the stream that is looked at afterwards.
      const compareTables = await compareRedemptions({ ...share, check: checks.tables }, fold.orders, ids);
      const moving = await compareRecords(comparison, 'order', fold.orders, ids, cursorSeq);
      compareTables(ids.filter((order) => !moving.includes(order)));
      return moving;
    },
    leftMoving: (count) => checks.records.count('still moving', count),
  };
}

function dueOrders(share: Share): Compared {
  const { ledger, fold, checks } = share;
  return {
    ids: async function* () {
      yield* liveRecords(ledger, 'due');
      yield* pagesOf(fold.due.keys());
    },
    includes: (order) => share.includes(userOfRecord(order)),
    compare: (ids, cursorSeq) => compareDue({ ...share, check: checks.records }, fold.due, ids, cursorSeq),
    leftMoving: (count) => checks.records.count('still moving', count),
  };
}
