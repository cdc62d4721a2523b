import { decodeEntry, type TargetClass } from '../../ledger/event-format.ts';
import type { LedgerAdmin } from '../ledger-port.ts';

const PAGE_ENTRIES = 256;

/**
 * Which records the stream has written beyond a cursor. Records without a sequence number of their own tell by this that
 * they are newer than the events they are compared with.
 */
export class TouchedRecords {
  private readonly ledger: LedgerAdmin;
  private readonly lastTouch = new Map<string, number>();
  private seq: number;

  /** @param cursorSeq entries after this one count */
  constructor(ledger: LedgerAdmin, cursorSeq: number) {
    this.ledger = ledger;
    this.seq = cursorSeq;
  }

  /** Looks at everything written until now. */
  async refresh(): Promise<void> {
    const until = (await this.ledger.lastSeq()) ?? -1;
    while (this.seq < until) {
      const entries = await this.ledger.readEntries(this.seq, PAGE_ENTRIES);
      for (const { seq, payload } of entries) this.note(seq, payload);
      this.seq = entries.at(-1)?.seq ?? until;
    }
  }

  /** Was the record written after entry `cursorSeq`? */
  isNewer(target: TargetClass, id: string, cursorSeq: number): boolean {
    return (this.lastTouch.get(`${target}:${id}`) ?? -1) > cursorSeq;
  }

  private note(seq: number, payload: Buffer): void {
    for (const { target, id, fields } of decodeEntry(payload).events.flatMap((event) => event.writes)) {
      const ids = target === 'due' ? fields.map(({ field }) => field.toString('latin1')) : [id];
      for (const touched of ids) this.lastTouch.set(`${target}:${touched}`, seq);
    }
  }
}
