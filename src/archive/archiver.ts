import type { Logger } from 'pino';
import { type Tracer, tracedRoot } from '../telemetry/tracing/tracer.ts';
import type { ArchiveStore } from './archive-store.ts';
import { type ArchiveMetrics, ArchiverReport } from './archiver-report.ts';
import { BatchWriter } from './batch-writer.ts';
import type { DecodedEntry } from './decoded-entry.ts';
import { ForkError } from './flush.ts';
import { compareAtCursor, type GatekeeperDependencies, keepGate } from './gatekeeper.ts';
import { HaltError } from './halt.ts';
import type { Lease } from './lease.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { LedgerAdmin, PartitionId } from './ledger-port.ts';
import {
  FAULT_PAUSE_MS,
  FLUSH_EVENTS,
  FLUSH_INTERVAL_MS,
  HALT_PAUSE_MS,
  HOUSEKEEPING_MS,
  IDLE_POLL_MS,
  LEASE_MS,
  LEVEL_INTERVAL_MS,
  LEVEL_MARGIN_MS,
  STANDBY_POLL_MS,
  TRIM_INTERVAL_MS,
  TRIM_MARGIN_MS,
} from './limits.ts';
import { StreamReader } from './stream-reader.ts';
import { TrimMargin } from './trim-margin.ts';

/** What one archiver works with. Its client and its ledger connection are used by nothing else. */
export interface ArchiverDependencies {
  readonly id: PartitionId;
  readonly client: ArchiveStore;
  readonly ledger: LedgerAdmin;
  readonly metrics: ArchiveMetrics;
  readonly logger: Logger;
  /** Absent: no batch is traced. */
  readonly tracer?: Tracer | undefined;
  /** Names this process among all that may archive the partition; unique. */
  readonly owner: string;
  /** Wall clock, ms since the epoch. */
  readonly nowMs: () => number;
  /** Time that nobody sets, ms, by default `nowMs`: a wall clock that jumps must not end pauses and the trim margin, or prolong them. */
  readonly elapsedMs?: () => number;
  /** Bounds that tests shorten. */
  readonly leaseMs?: number;
  readonly flushIntervalMs?: number;
  readonly trimMarginMs?: number;
  readonly trimIntervalMs?: number;
}

/**
 * Archives one partition: holds its lease, keeps its gate, and moves entries from the stream to Postgres, one turn after
 * another. Everything happens in turns of one loop, so the gate, the cursor and the batch under way never disagree.
 */
export class Archiver {
  private readonly dependencies: ArchiverDependencies;
  private readonly elapsedMs: () => number;
  private readonly keeper: LeaseKeeper;
  private readonly reader: StreamReader;
  private readonly writer: BatchWriter;
  private readonly gate: GatekeeperDependencies;
  private readonly report: ArchiverReport;
  private trim: TrimMargin;
  private adoptedEpoch: number | undefined;
  private publishedSeq: number | undefined;
  private haltedUntilMs = 0;
  private housekeepingAtMs = 0;
  private levelAskedAtMs = Number.NEGATIVE_INFINITY;

  constructor(dependencies: ArchiverDependencies) {
    const { id, client, ledger, owner, nowMs } = dependencies;
    this.dependencies = dependencies;
    this.elapsedMs = dependencies.elapsedMs ?? nowMs;
    const terms = { id, owner, leaseMs: dependencies.leaseMs ?? LEASE_MS };
    this.keeper = new LeaseKeeper(client, terms, this.elapsedMs);
    this.reader = new StreamReader(ledger);
    this.writer = new BatchWriter(client, this.keeper, nowMs, (batch, ms) =>
      this.report.committed(batch, ms),
    );
    const confirmLease = async (): Promise<void> => {
      await this.keeper.confirm();
    };
    this.gate = { id, client, ledger, confirmLease };
    this.trim = this.newTrim();
    this.report = new ArchiverReport(dependencies, () => this.writer.quarantinedEvents);
  }

  /** Does one turn; answers with the pause before the next one, ms. Never throws: faults are logged, counted, retried. */
  async turn(): Promise<number> {
    try {
      return await this.work();
    } catch (error) {
      this.reader.forget();
      this.keeper.doubt();
      return this.onFault(error);
    }
  }

  /** Lets the next process in. Call it after the last turn has ended. */
  async giveBack(): Promise<void> {
    this.leave();
    await this.keeper.giveBack();
  }

  private async work(): Promise<number> {
    const lease = await this.keeper.hold();
    if (lease === undefined) {
      this.leave();
      return STANDBY_POLL_MS;
    }
    const isHalted = this.elapsedMs() < this.haltedUntilMs;
    if (isHalted && this.report.haltedFor !== 'unknown_format') return FAULT_PAUSE_MS;
    if (this.adoptedEpoch !== lease.epoch) await this.adopt(lease);
    await this.watchGate(lease);
    if (isHalted) return FAULT_PAUSE_MS;
    await this.keepHouse(lease);
    return this.archive();
  }

  /** A new lease: nothing remembered from before counts. */
  private async adopt(lease: Lease): Promise<void> {
    const { ledger } = this.dependencies;
    this.reader.forget();
    this.trim = this.newTrim();
    this.publishedSeq = undefined;
    this.housekeepingAtMs = 0;
    await this.writer.loadQuarantine();
    const [runId, openFor] = await Promise.all([ledger.serverRunId(), ledger.openRunId()]);
    if (runId === openFor) await compareAtCursor(this.gate, lease.seq);
    this.adoptedEpoch = lease.epoch;
    this.report.owned(lease);
  }

  private async watchGate(lease: Lease): Promise<void> {
    const outcome = await keepGate(this.gate, lease.seq);
    if (outcome.kind === 'was_open') return;
    this.reader.forget();
    this.publishedSeq = undefined;
    if (outcome.kind === 'moved') return;
    this.report.opened(outcome.replayedEntries);
  }

  /** Moves one batch; answers with the pause before the next turn. */
  private async archive(): Promise<number> {
    const { seq } = await this.keeper.require();
    const levelMs = await this.levelTime();
    const entries = await this.reader.read(seq);
    if (entries.length === 0 && levelMs !== undefined) this.keeper.noteLevel({ seq, atMs: levelMs });
    this.notePending(entries[0]);
    const last = entries.at(-1);
    if (last !== undefined) {
      this.reader.prefetch(last.seq);
      await this.write(entries);
      this.report.pending(undefined);
    }
    this.report.progressed();
    await this.tellLedger();
    return this.pauseAfter(entries);
  }

  private write(entries: readonly DecodedEntry[]): Promise<void> {
    const { tracer, id } = this.dependencies;
    const attributes = { 'hongbao.partition': id.partition, 'hongbao.archive.entries': entries.length };
    const start = { name: 'archive batch', kind: 'internal', attributes } as const;
    return tracedRoot(tracer, start, () => this.writer.write(entries));
  }

  /**
   * Now and then the time until which everything is archived if no entry is read next; undefined otherwise. Asked before the
   * reading, which is never answered empty by what was fetched ahead.
   */
  private async levelTime(): Promise<number | undefined> {
    if (this.elapsedMs() < this.levelAskedAtMs + LEVEL_INTERVAL_MS) return undefined;
    this.levelAskedAtMs = this.elapsedMs();
    const timeMs = await this.dependencies.ledger.serverTimeMs();
    return timeMs === undefined ? undefined : timeMs - LEVEL_MARGIN_MS;
  }

  /**
   * A busy stream is left to gather for a moment: a statement costs Postgres nearly the same for ten events as for a
   * thousand. A backlog is worked off without a pause.
   */
  private pauseAfter(entries: readonly DecodedEntry[]): number {
    if (entries.length === 0) return IDLE_POLL_MS;
    const events = entries.reduce(
      (sum, item) => sum + (item.kind === 'read' ? item.entry.events.length : 0),
      0,
    );
    return events >= FLUSH_EVENTS / 2 ? 0 : (this.dependencies.flushIntervalMs ?? FLUSH_INTERVAL_MS);
  }

  /** Publishes the cursor for the backlog limit, and drops what was archived long enough ago. */
  private async tellLedger(): Promise<void> {
    const { ledger } = this.dependencies;
    const { seq, eventsTotal } = await this.keeper.require();
    if (seq >= 0 && this.publishedSeq !== seq) {
      await ledger.publishArchived(seq, eventsTotal);
      this.publishedSeq = seq;
    }
    this.trim.note(seq, this.elapsedMs());
    const trimSeq = this.trim.takeDue(this.elapsedMs());
    if (trimSeq !== undefined) await ledger.trimBelow(trimSeq);
  }

  /** Makes segments ahead and tries the quarantine again, now and then. What fails here must not stop the stream. */
  private async keepHouse(lease: Lease): Promise<void> {
    const { client, id, nowMs } = this.dependencies;
    if (this.elapsedMs() < this.housekeepingAtMs) return;
    this.housekeepingAtMs = this.elapsedMs() + HOUSEKEEPING_MS;
    try {
      await client.ensureSegments(id, lease.seq, nowMs());
      this.report.settled(await this.writer.retryQuarantine());
    } catch (error) {
      this.report.housekeepingFailed(error);
    }
  }

  private onFault(error: unknown): number {
    const halt = error instanceof ForkError ? new HaltError('fork', error.message) : error;
    if (halt instanceof HaltError) {
      this.haltedUntilMs = this.elapsedMs() + HALT_PAUSE_MS;
      this.report.halted(halt);
    } else this.report.failed(error);
    return FAULT_PAUSE_MS;
  }

  /** What could not be read has no time that is known: the one before stays. */
  private notePending(first: DecodedEntry | undefined): void {
    if (first === undefined) this.report.pending(undefined);
    else if (first.kind === 'read') this.report.pending(first.entry.timeMs);
  }

  /** A pause after a halt is over too: who holds the partition next looks at it anew. */
  private leave(): void {
    this.report.left();
    this.adoptedEpoch = undefined;
    this.haltedUntilMs = 0;
  }

  private newTrim(): TrimMargin {
    const { trimMarginMs = TRIM_MARGIN_MS, trimIntervalMs = TRIM_INTERVAL_MS } = this.dependencies;
    return new TrimMargin(trimMarginMs, trimIntervalMs);
  }
}
