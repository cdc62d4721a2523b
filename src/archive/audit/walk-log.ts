import type { Sql } from '../../database/client.ts';
import { type DecodedEntry, decodeStreamEntry } from '../decoded-entry.ts';
import type { PartitionId, StreamEntry } from '../ledger-port.ts';
import { readLogPayloads } from '../log-reader.ts';

/** Entries per page: about a megabyte of payloads. */
const PAGE_ENTRIES = 256;

/**
 * The log after number `after` up to and including `until`, in order, page by page, so that any length fits in memory. The
 * next page is on its way while one is looked at.
 */
export async function* walkLog(
  sql: Sql,
  id: PartitionId,
  after: number,
  until: number,
): AsyncGenerator<DecodedEntry> {
  const read = async (last: number): Promise<StreamEntry[]> =>
    last < until ? await readLogPayloads(sql, id, last, Math.min(PAGE_ENTRIES, until - last)) : [];
  let next = read(after);
  for (;;) {
    const page = await next;
    const last = page.at(-1);
    if (last === undefined) return;
    next = read(last.seq);
    // It is waited for in its turn; when whoever walks stops before, nobody hears of it.
    next.catch(() => undefined);
    for (const entry of page) {
      if (entry.seq > until) return;
      yield decodeStreamEntry(entry);
    }
  }
}
