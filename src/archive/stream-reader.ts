import { UnknownFormatError } from '../ledger/event-format.ts';
import { type DecodedEntry, decodeStreamEntry } from './decoded-entry.ts';
import { HaltError } from './halt.ts';
import type { LedgerAdmin, StreamEntry } from './ledger-port.ts';
import { FLUSH_BYTES, FLUSH_EVENTS, READ_ENTRIES_MAX, READ_ENTRIES_START } from './limits.ts';

/**
 * Reads the stream in batches of bounded events and bytes, and fetches ahead while a batch is being written.
 *
 * What was fetched ahead must be forgotten whenever the partition is opened anew: a Redis that lost its newest entries
 * hands out their numbers again.
 */
export class StreamReader {
  private readonly ledger: LedgerAdmin;
  private ahead: readonly StreamEntry[] = [];
  private fetching: Promise<void> | undefined;
  /** Goes up when fetched entries lose their worth while a fetch is under way. */
  private round = 0;
  private wanted = READ_ENTRIES_START;

  constructor(ledger: LedgerAdmin) {
    this.ledger = ledger;
  }

  /**
   * The next entries after `seq`; empty when there are none. What was fetched ahead is filled up: on a stream that is kept up with
   * it holds only what came while the batch before was begun, and a small batch costs nearly what a large one does. Throws {@link HaltError} when entries are missing, or the
   * first one has an unknown format.
   */
  async read(seq: number): Promise<DecodedEntry[]> {
    await this.fetching;
    if (this.ahead[0]?.seq !== seq + 1) this.ahead = [];
    const missing = this.wanted - this.ahead.length;
    if (missing > 0)
      this.ahead = [
        ...this.ahead,
        ...(await this.ledger.readEntries(this.ahead.at(-1)?.seq ?? seq, missing)),
      ];
    requireGapless(this.ahead, seq);
    const batch = decodeBatch(this.ahead);
    this.ahead = this.ahead.slice(batch.length);
    this.learn(batch);
    return batch;
  }

  /** Starts to fetch what follows `seq`, when nothing is at hand; a failure shows at the next {@link read}. */
  prefetch(seq: number): void {
    if (this.ahead.length > 0) return;
    const { round } = this;
    this.fetching = this.ledger.readEntries(seq, this.wanted).then(
      (entries) => {
        if (round === this.round) this.ahead = entries;
      },
      () => {},
    );
  }

  /** Drops everything that was fetched ahead. */
  forget(): void {
    this.round += 1;
    this.ahead = [];
  }

  /** Asks next time for about one batch, going by the size of this one's entries. */
  private learn(batch: readonly DecodedEntry[]): void {
    if (batch.length === 0) return;
    const perBatch = Math.min(FLUSH_EVENTS / eventsIn(batch), FLUSH_BYTES / bytesIn(batch));
    this.wanted = Math.min(READ_ENTRIES_MAX, Math.max(1, Math.ceil(batch.length * perBatch)));
  }
}

function requireGapless(entries: readonly StreamEntry[], after: number): void {
  const first = entries[0];
  if (first !== undefined && first.seq !== after + 1) {
    throw new HaltError('hole', `the stream continues at ${first.seq}, the cursor is ${after}`);
  }
  const gap = entries.find((entry, index) => entry.seq !== after + 1 + index);
  if (gap !== undefined) throw new HaltError('hole', `entries before ${gap.seq} are missing`);
}

/** As many entries as fit one statement, at least one; those before an unknown format. */
function decodeBatch(entries: readonly StreamEntry[]): DecodedEntry[] {
  const batch: DecodedEntry[] = [];
  let room = { events: FLUSH_EVENTS, bytes: FLUSH_BYTES };
  for (const entry of entries) {
    if (batch.length > 0 && room.bytes < entry.payload.length) break;
    const decoded = decodeOrStop(entry, batch.length > 0);
    if (decoded === undefined) break;
    if (batch.length > 0 && room.events < eventsIn([decoded])) break;
    batch.push(decoded);
    room = { events: room.events - eventsIn([decoded]), bytes: room.bytes - entry.payload.length };
  }
  return batch;
}

function decodeOrStop(entry: StreamEntry, hasEarlier: boolean): DecodedEntry | undefined {
  try {
    return decodeStreamEntry(entry);
  } catch (error) {
    if (!(error instanceof UnknownFormatError)) throw error;
    if (hasEarlier) return undefined;
    throw new HaltError(
      'unknown_format',
      `entry ${entry.seq}: ${error.message}; a newer release must archive it`,
    );
  }
}

function eventsIn(batch: readonly DecodedEntry[]): number {
  return batch.reduce((sum, entry) => sum + (entry.kind === 'read' ? entry.entry.events.length : 1), 0);
}

function bytesIn(batch: readonly DecodedEntry[]): number {
  return batch.reduce((sum, entry) => sum + entry.payload.length, 0);
}
