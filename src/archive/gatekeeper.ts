import type { ArchiveStore } from './archive-store.ts';
import { HaltError } from './halt.ts';
import type { LedgerAdmin, PartitionId, StreamEntry } from './ledger-port.ts';
import { REPLAY_ENTRIES } from './limits.ts';

/** What the gatekeeper needs; only the process that holds the partition's lease may run it. */
export interface GatekeeperDependencies {
  readonly id: PartitionId;
  readonly client: ArchiveStore;
  readonly ledger: LedgerAdmin;
  /** Throws unless this process still holds the lease; asked last, just before the partition opens. */
  readonly confirmLease: () => Promise<void>;
}

/** What became of one look at the gate. */
export type GateOutcome =
  | { readonly kind: 'was_open' }
  /** Opened now, after so many lost entries were put back. */
  | { readonly kind: 'opened'; readonly replayedEntries: number }
  /** Another server process answers by now: look again at once. */
  | { readonly kind: 'moved' };

/**
 * Opens the partition for the Redis process that answers now, once its stream and the archive tell the same history
 * (LEDGER rule 15). A restart or a fail-over gives Redis another identity, which closes the partition by itself.
 *
 * The test is the entry at the cursor, byte for byte: a Redis that lost entries and took new ones under the same numbers
 * is not behind, and yet it is a fork. Throws {@link HaltError} when the histories differ or cannot be joined; the
 * partition then stays closed.
 *
 * @param cursorSeq the archive's cursor, read under the lease
 */
export async function keepGate(
  dependencies: GatekeeperDependencies,
  cursorSeq: number,
): Promise<GateOutcome> {
  const { ledger } = dependencies;
  const [runId, openFor] = await Promise.all([ledger.serverRunId(), ledger.openRunId()]);
  if (runId === openFor) return { kind: 'was_open' };
  const replayedEntries = await reconcile(dependencies, cursorSeq);
  await dependencies.confirmLease();
  const isOpen = await ledger.open(runId);
  return isOpen ? { kind: 'opened', replayedEntries } : { kind: 'moved' };
}

/**
 * Compares the stream with the archive at the cursor, without changing anything; for a process that takes over a
 * partition that is open. Throws {@link HaltError} when they differ.
 */
export async function compareAtCursor(
  dependencies: GatekeeperDependencies,
  cursorSeq: number,
): Promise<void> {
  const firstSeq = await dependencies.ledger.firstSeq();
  if (cursorSeq < 0) return requireStart(firstSeq);
  if (firstSeq === undefined || firstSeq > cursorSeq)
    throw hole(`the stream starts at ${firstSeq}, after the cursor ${cursorSeq}`);
  await requireSameEntry(dependencies, cursorSeq);
}

/** Brings a closed Redis up to the cursor; answers with how many entries it had lost. */
async function reconcile(dependencies: GatekeeperDependencies, cursorSeq: number): Promise<number> {
  const lastSeq = await dependencies.ledger.lastSeq();
  const isBehind = cursorSeq >= 0 && (lastSeq ?? -1) < cursorSeq;
  const replayed = isBehind ? await replayLost(dependencies, lastSeq, cursorSeq) : 0;
  await compareAtCursor(dependencies, cursorSeq);
  return replayed;
}

/** Puts the entries after `lastSeq` back from the log. */
async function replayLost(
  dependencies: GatekeeperDependencies,
  lastSeq: number | undefined,
  cursorSeq: number,
): Promise<number> {
  if (lastSeq !== undefined) await requireLogged(dependencies, lastSeq);
  let expected = lastSeq;
  while ((expected ?? -1) < cursorSeq) {
    const entries = await readLost(dependencies, expected ?? -1, cursorSeq);
    await dependencies.ledger.applyEntries(entries, expected);
    expected = (expected ?? -1) + entries.length;
  }
  return cursorSeq - (lastSeq ?? -1);
}

async function readLost(
  { client, id }: GatekeeperDependencies,
  after: number,
  cursorSeq: number,
): Promise<StreamEntry[]> {
  const limit = Math.min(REPLAY_ENTRIES, cursorSeq - after);
  const entries = await client.readLog(id, after, limit);
  const isWhole = entries.length > 0 && entries.every((entry, index) => entry.seq === after + 1 + index);
  if (!isWhole) throw hole(`the log lacks entries after ${after}: rebuild Redis from the projections`);
  return entries;
}

/** The newest entry Redis still has must be the archived one, before anything is put after it. */
async function requireLogged({ client, id, ledger }: GatekeeperDependencies, seq: number): Promise<void> {
  const [logged] = await client.readLog(id, seq - 1, 1);
  if (logged?.seq !== seq) throw hole(`the log lacks entry ${seq}`);
  if (!(await ledger.readEntry(seq))?.equals(logged.payload)) throw fork(seq);
}

async function requireSameEntry({ client, id, ledger }: GatekeeperDependencies, seq: number): Promise<void> {
  const archived = await client.readCursorPayload(id);
  const live = await ledger.readEntry(seq);
  if (archived === undefined || !live?.equals(archived)) throw fork(seq);
}

/** Nothing is archived: then the stream must be whole from its first entry, or not begun. */
function requireStart(firstSeq: number | undefined): void {
  if (firstSeq !== undefined && firstSeq !== 0)
    throw hole(`nothing is archived and the stream starts at ${firstSeq}`);
}

function fork(seq: number): HaltError {
  return new HaltError('fork', `entry ${seq} is not the same in Redis and in Postgres`);
}

function hole(message: string): HaltError {
  return new HaltError('hole', message);
}
