import type { ArchiveStore } from './archive-store.ts';
import type { DecodedEntry } from './decoded-entry.ts';
import { type Fence, ForkError, RefusedBatchError } from './flush.ts';
import { type FoldContext, foldEntries } from './fold.ts';
import { type LeaseKeeper, LostLeaseError } from './lease-keeper.ts';
import { findPoison } from './poison.ts';
import type { FoldedBatch } from './projection.ts';

/** Told about every batch that is committed, with the time its statement took. */
export type CommitListener = (batch: FoldedBatch, statementMs: number) => void;

/**
 * Writes batches under the lease. A batch the database refuses is halved until one entry is left, of which the refused
 * events go to quarantine; everything else flows.
 */
export class BatchWriter {
  private readonly client: ArchiveStore;
  private readonly keeper: LeaseKeeper;
  private readonly onCommit: CommitListener;
  private readonly nowMs: () => number;
  private blockedSubjects: ReadonlySet<string> = new Set();
  private waitingEvents = 0;

  constructor(client: ArchiveStore, keeper: LeaseKeeper, nowMs: () => number, onCommit: CommitListener) {
    this.client = client;
    this.keeper = keeper;
    this.nowMs = nowMs;
    this.onCommit = onCommit;
  }

  /** Events in quarantine. */
  get quarantinedEvents(): number {
    return this.waitingEvents;
  }

  /** Reads which subjects wait; needed before the first batch of a lease. */
  async loadQuarantine(): Promise<void> {
    const open = await this.client.readOpenQuarantine(this.keeper.terms.id);
    this.blockedSubjects = open.subjects;
    this.waitingEvents = open.events;
  }

  /** Tries the events in quarantine again; answers with how many could be settled. */
  async retryQuarantine(): Promise<number> {
    if (this.waitingEvents === 0) return 0;
    const settled = await this.client.reproject(await this.fence());
    await this.loadQuarantine();
    return settled;
  }

  /** Writes the entries, in one statement when nothing is wrong with them. Throws what `ArchiveStore.flush` throws. */
  async write(entries: readonly DecodedEntry[]): Promise<void> {
    try {
      await this.flush(entries);
    } catch (error) {
      if (!(error instanceof RefusedBatchError)) throw error;
      await this.writeParts(entries);
    }
  }

  private async writeParts(entries: readonly DecodedEntry[]): Promise<void> {
    const [only] = entries;
    if (entries.length === 1 && only !== undefined) return this.writeWithoutPoison(only);
    const middle = Math.ceil(entries.length / 2);
    await this.write(entries.slice(0, middle));
    await this.write(entries.slice(middle));
  }

  private async writeWithoutPoison(entry: DecodedEntry): Promise<void> {
    const keepLease = async (): Promise<void> => {
      await this.keeper.require();
    };
    const search = {
      client: this.client,
      fence: await this.fence(),
      context: await this.context(),
      keepLease,
    };
    await this.flush([entry], await findPoison(search, entry));
  }

  private async flush(
    entries: readonly DecodedEntry[],
    refused?: ReadonlyMap<string, string>,
  ): Promise<void> {
    const batch = foldEntries(entries, { ...(await this.context()), ...(refused && { refused }) });
    const startMs = this.nowMs();
    const isMoved = await this.send(batch);
    if (!isMoved) throw new LostLeaseError('the cursor is not where this process left it');
    this.accept(batch);
    this.onCommit(batch, this.nowMs() - startMs);
  }

  private async send(batch: FoldedBatch): Promise<boolean> {
    const fence = await this.fence();
    try {
      return await this.client.flush(fence, batch);
    } catch (error) {
      const isRefused = error instanceof ForkError || error instanceof RefusedBatchError;
      if (!isRefused) this.keeper.renounce();
      throw error;
    }
  }

  private accept(batch: FoldedBatch): void {
    const last = batch.log.at(-1);
    if (last !== undefined) this.keeper.advance(last.seq, batch.eventsTotal);
    if (batch.quarantine.length === 0) return;
    const subjects = batch.quarantine.map((row) => row.subject).filter((subject) => subject !== '');
    this.blockedSubjects = new Set([...this.blockedSubjects, ...subjects]);
    this.waitingEvents += batch.quarantine.length;
  }

  private async fence(): Promise<Fence> {
    const { id, leaseMs } = this.keeper.terms;
    return { id, leaseMs, lease: await this.keeper.require() };
  }

  private async context(): Promise<FoldContext> {
    const { eventsTotal } = await this.keeper.require();
    return { eventsTotal, blockedSubjects: this.blockedSubjects };
  }
}
