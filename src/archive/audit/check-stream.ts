import type { Sql } from '../../database/client.ts';
import type { LedgerAdmin, PartitionId, StreamEntry } from '../ledger-port.ts';
import { readLogPayloads } from '../log-reader.ts';
import type { Check } from './check.ts';
import type { AuditedCursor } from './check-log.ts';

/** What the check of the stream works with. */
export interface StreamAudit {
  readonly sql: Sql;
  readonly id: PartitionId;
  readonly ledger: LedgerAdmin;
  readonly check: Check;
  readonly cursor: AuditedCursor;
}

const PAGE_ENTRIES = 256;

/**
 * Checks the stream against the log (I7): it holds the entry at the cursor and everything after it without a gap, and no
 * number has two sets of bytes. The archiver may trim old entries meanwhile; the start may therefore move.
 */
export async function checkStream(audit: StreamAudit): Promise<void> {
  const { ledger, check, cursor } = audit;
  const firstSeq = await ledger.firstSeq();
  if (firstSeq === undefined) {
    check.require(cursor.seq < 0, () => `the stream is empty, the cursor is ${cursor.seq}`);
    return;
  }
  const wanted = Math.max(cursor.seq, 0);
  check.require(
    firstSeq <= wanted,
    () => `the stream starts at ${firstSeq}, entries from ${wanted} were trimmed`,
  );
  const lastSeq = (await ledger.lastSeq()) ?? -1;
  check.require(
    lastSeq >= cursor.seq,
    () => `the stream ends at ${lastSeq}, before the cursor ${cursor.seq}`,
  );
  for (let last = firstSeq - 1; last < lastSeq; ) {
    const page = await ledger.readEntries(last, PAGE_ENTRIES);
    if (page.length === 0) {
      check.breach(`the stream ends at ${last}, it had entry ${lastSeq}`);
      return;
    }
    await checkPage(audit, last, page);
    last = page.at(-1)?.seq ?? lastSeq;
  }
}

async function checkPage(audit: StreamAudit, after: number, page: readonly StreamEntry[]): Promise<void> {
  audit.check.count('stream entries', page.length);
  let expected = after + 1;
  for (const { seq } of page) {
    if (seq !== expected && !(await wasTrimmed(audit, seq))) {
      audit.check.breach(`the stream goes from entry ${expected - 1} to ${seq}`);
    }
    expected = seq + 1;
  }
  await compareBytes(audit, page);
}

/** The archiver has trimmed up to this entry since the walk began. */
async function wasTrimmed({ ledger, cursor }: StreamAudit, seq: number): Promise<boolean> {
  return seq <= cursor.seq && (await ledger.firstSeq()) === seq;
}

async function compareBytes(
  { sql, id, check, cursor }: StreamAudit,
  page: readonly StreamEntry[],
): Promise<void> {
  const archived = page.filter(({ seq }) => seq <= cursor.seq);
  const [first] = archived;
  if (first === undefined) return;
  const logged = await readLogPayloads(sql, id, first.seq - 1, archived.length);
  const bytes = new Map(logged.map(({ seq, payload }) => [seq, payload]));
  for (const { seq, payload } of archived) {
    const known = bytes.get(seq);
    // An entry the log lacks is told by the check of the log.
    if (known === undefined) continue;
    check.count('entries held by both');
    check.require(known.equals(payload), () => `entry ${seq} has other bytes in Redis than in the log`);
  }
}
