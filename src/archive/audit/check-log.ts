import type { Sql } from '../../database/client.ts';
import type { DecodedEntry } from '../decoded-entry.ts';
import type { PartitionId } from '../ledger-port.ts';
import type { Check } from './check.ts';

/** The archive's cursor as it was when the audit began. */
export interface AuditedCursor {
  readonly seq: number;
  readonly eventsTotal: number;
  readonly payload: Buffer | undefined;
}

/** Reads the cursor; undefined when the partition was never archived. */
export async function readAuditedCursor(
  sql: Sql,
  { generation, partition }: PartitionId,
): Promise<AuditedCursor | undefined> {
  const [row] = await sql<{ seq: string; events_total: string; entry_payload: Buffer | null }[]>`
    SELECT seq, events_total, entry_payload FROM ledger_cursor
    WHERE generation = ${generation} AND partition = ${partition}`;
  if (row === undefined) return undefined;
  return {
    seq: Number(row.seq),
    eventsTotal: Number(row.events_total),
    payload: row.entry_payload ?? undefined,
  };
}

/** Number of the log's first entry; undefined when it is empty. Above 0 when older segments were detached. */
export async function readFirstLogged(
  sql: Sql,
  { generation, partition }: PartitionId,
): Promise<number | undefined> {
  const [row] = await sql<{ seq: string }[]>`
    SELECT seq FROM event_log WHERE generation = ${generation} AND partition = ${partition} ORDER BY seq LIMIT 1`;
  return row && Number(row.seq);
}

/** Checks the log's own order while it is walked (I7): no number missing, no event uncounted, its end is the cursor's. */
export class LogOrder {
  private readonly check: Check;
  private nextSeq: number;
  private eventsTotal: number | undefined;
  private last: DecodedEntry | undefined;

  constructor(check: Check, firstSeq: number) {
    this.check = check;
    this.nextSeq = firstSeq;
    this.eventsTotal = firstSeq === 0 ? 0 : undefined;
  }

  /** Looks at the next entry. */
  add(entry: DecodedEntry): void {
    this.check.count('log entries');
    this.check.require(
      entry.seq === this.nextSeq,
      () => `the log goes from entry ${this.nextSeq - 1} to ${entry.seq}`,
    );
    this.nextSeq = entry.seq + 1;
    this.last = entry;
    if (entry.kind === 'corrupt') {
      this.check.breach(`entry ${entry.seq} of the log cannot be read: ${entry.fault}`);
      this.eventsTotal = undefined;
    } else this.addTotal(entry.seq, entry.entry.events.length, entry.entry.eventsTotal);
  }

  /** The walk is over: the log must end where the cursor is, with the same bytes. */
  end(cursor: AuditedCursor): void {
    const lastSeq = this.last?.seq ?? -1;
    this.check.require(
      lastSeq === cursor.seq,
      () => `the log ends at entry ${lastSeq}, the cursor is ${cursor.seq}`,
    );
    if (this.last === undefined || lastSeq !== cursor.seq) return;
    const isSame = cursor.payload?.equals(this.last.payload) === true;
    this.check.require(isSame, () => `the cursor holds other bytes of entry ${lastSeq} than the log`);
    const total = this.eventsTotal ?? cursor.eventsTotal;
    this.check.require(
      total === cursor.eventsTotal,
      () => `the cursor counts ${cursor.eventsTotal} events, the log ${total}`,
    );
  }

  private addTotal(seq: number, events: number, eventsTotal: number): void {
    const expected = this.eventsTotal === undefined ? eventsTotal : this.eventsTotal + events;
    this.check.require(
      eventsTotal === expected,
      () => `entry ${seq} counts ${eventsTotal} events, it is number ${expected}`,
    );
    this.eventsTotal = eventsTotal;
  }
}
