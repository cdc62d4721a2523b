import type { ArchiveStore } from './archive-store.ts';
import type { DecodedEntry } from './decoded-entry.ts';
import type { Fence } from './flush.ts';
import { eventKey, type FoldContext, foldEntries } from './fold.ts';

/** What is needed to try parts of an entry. */
export interface PoisonSearch {
  readonly client: ArchiveStore;
  readonly fence: Fence;
  readonly context: FoldContext;
  /** Called between trials, so that a long search does not lose the lease. */
  readonly keepLease: () => Promise<void>;
}

/**
 * Finds the events of one entry that the database refuses, by trying ever longer beginnings of it; the result goes into
 * {@link FoldContext.refused}. An event is judged together with the accepted ones before it, so a clash of two events
 * is found too: the later one is the culprit.
 */
export async function findPoison(search: PoisonSearch, entry: DecodedEntry): Promise<Map<string, string>> {
  const refused = new Map(search.context.refused);
  if (entry.kind === 'corrupt') return refused;
  const count = entry.entry.events.length;
  let good = 0;
  while (good < count) {
    const { passing, refusal } = await longestPassing(search, entry, refused, { passing: good, count });
    if (refusal !== undefined) refused.set(eventKey(entry.seq, passing), refusal);
    good = passing + 1;
  }
  return refused;
}

/** A beginning that passes, and why the next longer one does not; no refusal when the whole entry passes. */
interface Beginning {
  readonly passing: number;
  readonly refusal: string | undefined;
}

/** Longest beginning that passes, given one that is known to: doubling steps until one fails, then halving. */
async function longestPassing(
  search: PoisonSearch,
  entry: DecodedEntry,
  refused: ReadonlyMap<string, string>,
  known: { readonly passing: number; readonly count: number },
): Promise<Beginning> {
  let { passing } = known;
  let refusal: string | undefined;
  let failing = known.count + 1;
  for (let step = 1; failing - passing > 1; step *= 2) {
    const length =
      refusal === undefined ? Math.min(passing + step, known.count) : Math.floor((passing + failing) / 2);
    await search.keepLease();
    const answer = await tryBeginning(search, entry, refused, length);
    if (answer === undefined) passing = length;
    else [failing, refusal] = [length, answer];
  }
  return { passing, refusal };
}

function tryBeginning(
  { client, fence, context }: PoisonSearch,
  entry: DecodedEntry,
  refused: ReadonlyMap<string, string>,
  length: number,
): Promise<string | undefined> {
  return client.tryFlush(fence, foldEntries([firstEvents(entry, length)], { ...context, refused }));
}

function firstEvents(entry: DecodedEntry, length: number): DecodedEntry {
  if (entry.kind === 'corrupt') return entry;
  return { ...entry, entry: { ...entry.entry, events: entry.entry.events.slice(0, length) } };
}
