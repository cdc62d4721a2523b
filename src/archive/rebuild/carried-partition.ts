/**
 * Fills a partition of a new generation. What is carried over goes into its log as any entry does: to Redis, and by the archive's
 * own statement to Postgres, so that the log of the generation tells all that Redis holds.
 */
import { ENTRY_FORMAT, encodeEntry, type LedgerEvent, type Write } from '../../ledger/event-format.ts';
import type { RebuiltRecord } from '../../ledger/rebuild-target.ts';
import { SEQUENCE_FIELD } from '../../ledger/record-fields.ts';
import type { BatchWriter } from '../batch-writer.ts';
import { decodeStreamEntry } from '../decoded-entry.ts';
import type { LedgerAdmin } from '../ledger-port.ts';
import { CARRIED_BYTES_PER_ENTRY, CARRIED_ENTRIES_KEPT, CARRIED_EVENTS_PER_ENTRY } from '../limits.ts';

/** What a partition is filled with. */
export interface CarriedPorts {
  readonly ledger: LedgerAdmin;
  readonly writer: BatchWriter;
  /** The partition's clock, ms: it never runs backwards. */
  readonly timeMs: number;
  /** The entry and the number of events to go on from; absent: the partition is new. */
  readonly after?: { readonly seq: number; readonly eventsTotal: number };
}

/** A write names at most 255 fields, an event at most 255 writes. */
const FIELDS_PER_WRITE = 250;
const WRITES_PER_EVENT = 250;
const SEQUENCE_BYTES = 6;

/** See the module's comment. */
export class CarriedPartition {
  private readonly ports: CarriedPorts;
  private events: LedgerEvent[] = [];
  private bytes = 0;
  private nextSeq: number;
  private eventsTotal: number;
  private readonly trims: boolean;

  constructor(ports: CarriedPorts) {
    this.ports = ports;
    this.nextSeq = (ports.after?.seq ?? -1) + 1;
    this.eventsTotal = ports.after?.eventsTotal ?? 0;
    // What a partition had before is trimmed by whoever archives it, after its margin.
    this.trims = ports.after === undefined;
  }

  /** The entry that is written next. */
  get seq(): number {
    return this.nextSeq;
  }

  /** Takes a record whole; it may be written later. */
  async take(record: RebuiltRecord): Promise<void> {
    for (const event of eventsOf(record)) this.events.push(event);
    for (const [name, value] of record.fields) this.bytes += name.length + value.length;
    if (this.events.length >= CARRIED_EVENTS_PER_ENTRY || this.bytes >= CARRIED_BYTES_PER_ENTRY)
      await this.flush();
  }

  /** Writes what is left. Throws when the database refused some of it: then the generation is of no use. */
  async end(): Promise<void> {
    await this.flush();
    const { quarantinedEvents } = this.ports.writer;
    if (quarantinedEvents > 0)
      throw new Error(`${quarantinedEvents} carried events were refused by the database`);
  }

  private async flush(): Promise<void> {
    const { events } = this;
    if (events.length === 0) return;
    this.events = [];
    this.bytes = 0;
    this.eventsTotal += events.length;
    const { ledger, writer, timeMs } = this.ports;
    const seq = this.nextSeq;
    this.nextSeq += 1;
    const payload = encodeEntry({
      formatVersion: ENTRY_FORMAT,
      timeMs,
      eventsTotal: this.eventsTotal,
      events,
    });
    await ledger.applyEntries([{ seq, payload }], seq === 0 ? undefined : seq - 1);
    await writer.write([decodeStreamEntry({ seq, payload })]);
    if (this.trims && seq % CARRIED_ENTRIES_KEPT === 0) await ledger.trimBelow(seq);
  }
}

function eventsOf({ target, id, fields }: RebuiltRecord): LedgerEvent[] {
  const all = [...fields].map(([name, value]) => ({
    field: Buffer.from(name, 'latin1'),
    value: unnumbered(name, value),
  }));
  // Whoever reads a part of a wallet finds its mark beside it.
  const mark = target === 'wallet' ? all.filter(({ field }) => field.equals(SEQUENCE_FIELD.bytes)) : [];
  const others = mark.length === 0 ? all : all.filter(({ field }) => !field.equals(SEQUENCE_FIELD.bytes));
  const writes: Write[] = [];
  for (let start = 0; start < Math.max(1, others.length); start += FIELDS_PER_WRITE)
    writes.push({ target, id, fields: [...others.slice(start, start + FIELDS_PER_WRITE), ...mark] });
  const events: LedgerEvent[] = [];
  for (let start = 0; start < writes.length; start += WRITES_PER_EVENT)
    events.push({ kind: 'carried', writes: writes.slice(start, start + WRITES_PER_EVENT) });
  return events;
}

/** Events leave the number of their entry open. */
function unnumbered(name: string, value: Buffer): Buffer {
  if (name !== SEQUENCE_FIELD.name) return value;
  return Buffer.concat([Buffer.alloc(SEQUENCE_BYTES), value.subarray(SEQUENCE_BYTES)]);
}
