import type { Sql } from '../../database/client.ts';
import { type DecodedEntry, decodeStreamEntry } from '../decoded-entry.ts';
import type { PartitionId } from '../ledger-port.ts';
import { readLogPayloads } from '../log-reader.ts';

/** Entries per page: about a megabyte of payloads. */
const PAGE_ENTRIES = 256;

/** The log after number `after` up to and including `until`, in order, page by page, so that any length fits in memory. */
export async function* walkLog(
  sql: Sql,
  id: PartitionId,
  after: number,
  until: number,
): AsyncGenerator<DecodedEntry> {
  let last = after;
  while (last < until) {
    const page = await readLogPayloads(sql, id, last, Math.min(PAGE_ENTRIES, until - last));
    if (page.length === 0) return;
    for (const entry of page) {
      if (entry.seq > until) return;
      yield decodeStreamEntry(entry);
      last = entry.seq;
    }
  }
}
