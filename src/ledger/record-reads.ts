/**
 * Reads of records that arrive together travel together: under load one round trip, with all that the driver does for it,
 * serves many orders. Alone, a read leaves at the end of its turn.
 */
import { RECORD_READS_IN_FLIGHT, RECORDS_PER_READ } from './limits.ts';
import { TurnEnd } from './turn-end.ts';

interface Waiting<Fields> {
  readonly keys: readonly string[];
  readonly resolve: (records: Fields[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Gathers reads; see the module's comment. */
export class RecordReads<Fields> {
  private readonly readKeys: (keys: readonly string[]) => Promise<Fields[]>;
  private queue: Waiting<Fields>[] = [];
  private inFlight = 0;
  private readonly turnEnd = new TurnEnd(() => this.pump());

  /** @param readKeys reads the records under these keys, in order */
  constructor(readKeys: (keys: readonly string[]) => Promise<Fields[]>) {
    this.readKeys = readKeys;
  }

  /** The records under these keys, in order. Fails as the round trip fails that it was part of. */
  read(keys: readonly string[]): Promise<Fields[]> {
    const { promise, resolve, reject } = Promise.withResolvers<Fields[]>();
    this.queue.push({ keys, resolve, reject });
    this.turnEnd.schedule();
    return promise;
  }

  private pump(): void {
    while (this.queue.length > 0 && this.inFlight < RECORD_READS_IN_FLIGHT) void this.send(this.take());
  }

  /** Those that wait longest, as many as one round trip carries. */
  private take(): Waiting<Fields>[] {
    let records = 0;
    let taken = 0;
    for (const { keys } of this.queue) {
      records += keys.length;
      if (taken > 0 && records > RECORDS_PER_READ) break;
      taken += 1;
    }
    return this.queue.splice(0, taken);
  }

  private async send(batch: readonly Waiting<Fields>[]): Promise<void> {
    this.inFlight += 1;
    try {
      const records = await this.readKeys(batch.flatMap(({ keys }) => keys));
      let at = 0;
      for (const { keys, resolve } of batch) {
        resolve(records.slice(at, at + keys.length));
        at += keys.length;
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.inFlight -= 1;
    this.pump();
  }
}
