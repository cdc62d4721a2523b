/**
 * The transactions of a user: the archive has them, a moment after the ledger. The ledger keeps the last one, so whoever has
 * just earned or spent sees it at once.
 */
import { decodePointsEntry, type PointsEntry } from '../domain/points-entry.ts';
import { isErased } from '../ledger/erased-user.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ACCOUNT_FIELDS } from '../ledger/record-fields.ts';
import { accountOf } from '../ledger/transaction.ts';
import type { RecordMap } from './account-points.ts';
import * as limits from './limits.ts';

/** Where transactions are read. */
export interface PointsHistory {
  readonly ledger: Pick<Ledger, 'read'>;
  /** Up to `limit` archived ones with a number below `below` (undefined = the newest), newest first. */
  readonly readEntries: (
    userId: string,
    below: number | undefined,
    limit: number,
    deadlineMs: number,
  ) => Promise<readonly PointsEntry[]>;
  /** Waits a little until the archive has entry `seq` of the log; see `archive/await-archived.ts`. */
  readonly awaitArchived: (userId: string, seq: number, deadlineMs: number) => Promise<unknown>;
}

/** Which page is asked for. */
export interface HistoryQuery {
  readonly userId: string;
  /** Numbers below this one; undefined: from the newest on. */
  readonly below: number | undefined;
  readonly size: number;
  readonly isWanted: (entry: PointsEntry) => boolean;
}

/** A page, newest first. */
export interface HistoryPage {
  readonly entries: readonly PointsEntry[];
  readonly hasMore: boolean;
}

/** Reads a page; of an erased user there is none, though the archive keeps the entries. Throws LEDGER_*, ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function pointsHistoryPage(
  history: PointsHistory,
  query: HistoryQuery,
  deadlineMs: number,
): Promise<HistoryPage> {
  const { below, size, isWanted } = query;
  const [account = new Map()] = await history.ledger.read(deadlineMs, (reads) =>
    reads.records([accountOf(query.userId)]),
  );
  if (isErased(account)) return { entries: [], hasMore: false };
  const found: PointsEntry[] = [];
  let chunk = below === undefined ? await newest(history, query, account, deadlineMs) : await next(below);
  while (chunk.length > 0 && found.length <= size) {
    found.push(...chunk.filter(isWanted));
    const last = chunk.at(-1)?.number ?? 0;
    if (found.length <= size) chunk = await next(last);
  }
  return { entries: found.slice(0, size), hasMore: found.length > size };

  async function next(number: number): Promise<readonly PointsEntry[]> {
    return await history.readEntries(query.userId, number, limits.HISTORY_CHUNK, deadlineMs);
  }
}

/**
 * The newest transactions. The last one comes from the ledger while the archive does not have it, when it follows on what
 * the archive has: a list with a hole would show balances that do not add up. Where more is missing the archive is waited for
 * a little; then what it has is what can be shown.
 */
async function newest(
  { ledger, readEntries, awaitArchived }: PointsHistory,
  { userId }: HistoryQuery,
  account: RecordMap,
  deadlineMs: number,
): Promise<readonly PointsEntry[]> {
  const bytes = account.get(ACCOUNT_FIELDS.lastEntry.name);
  const live = bytes === undefined ? undefined : decodePointsEntry(bytes);
  const archived = await readEntries(userId, undefined, limits.HISTORY_CHUNK, deadlineMs);
  if (missing(live, archived) <= 1) return joined(live, archived);
  const seq = await ledger.read(deadlineMs, (reads) => reads.lastSeq(userId));
  await awaitArchived(userId, seq ?? 0, deadlineMs);
  return joined(live, await readEntries(userId, undefined, limits.HISTORY_CHUNK, deadlineMs));
}

/** How many transactions the archive does not have. */
function missing(live: PointsEntry | undefined, archived: readonly PointsEntry[]): number {
  return (live?.number ?? 0) - (archived[0]?.number ?? 0);
}

function joined(live: PointsEntry | undefined, archived: readonly PointsEntry[]): readonly PointsEntry[] {
  return live !== undefined && missing(live, archived) === 1 ? [live, ...archived] : archived;
}
