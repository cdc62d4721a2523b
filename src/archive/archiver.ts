import type { Logger } from 'pino';
import { LOG_EVENTS } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Tracer, tracedRoot } from '../telemetry/tracing/tracer.ts';
import type { ArchiveStore } from './archive-store.ts';
import { BatchWriter } from './batch-writer.ts';
import type { DecodedEntry } from './decoded-entry.ts';
import { ForkError } from './flush.ts';
import { compareAtCursor, type GatekeeperDependencies, keepGate } from './gatekeeper.ts';
import { HaltError, type HaltReason } from './halt.ts';
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
import type { FoldedBatch } from './projection.ts';
import { StreamReader } from './stream-reader.ts';
import { TrimMargin } from './trim-margin.ts';

/** What the archiver counts. */
export type ArchiveMetrics = Pick<
  Metrics,
  | 'archiveLagSeconds'
  | 'archiveOldestUnflushedSeconds'
  | 'archiveBatchEvents'
  | 'archiveFlushSeconds'
  | 'archiveEvents'
  | 'archiveQuarantinedEvents'
  | 'archiveForkDetected'
  | 'archiveHalted'
  | 'archiveOwner'
  | 'couponsIssued'
>;

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
  private trim: TrimMargin;
  private adoptedEpoch: number | undefined;
  private publishedSeq: number | undefined;
  private halt: HaltReason | undefined;
  private haltedUntilMs = 0;
  private housekeepingAtMs = 0;
  private oldestPendingMs: number | undefined;
  private lastFault: string | undefined;
  private progressAtMs: number;
  private levelAskedAtMs = Number.NEGATIVE_INFINITY;

  constructor(dependencies: ArchiverDependencies) {
    const { id, client, ledger, owner, nowMs, metrics } = dependencies;
    this.dependencies = dependencies;
    this.elapsedMs = dependencies.elapsedMs ?? nowMs;
    const terms = { id, owner, leaseMs: dependencies.leaseMs ?? LEASE_MS };
    this.keeper = new LeaseKeeper(client, terms, this.elapsedMs);
    this.reader = new StreamReader(ledger);
    this.writer = new BatchWriter(client, this.keeper, nowMs, (batch, ms) => this.onCommit(batch, ms));
    const confirmLease = async (): Promise<void> => {
      await this.keeper.confirm();
    };
    this.gate = { id, client, ledger, confirmLease };
    this.trim = this.newTrim();
    this.progressAtMs = nowMs();
    metrics.archiveOldestUnflushedSeconds.source = () => this.oldestPendingSeconds();
    metrics.archiveQuarantinedEvents.source = () => this.writer.quarantinedEvents;
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
    if (isHalted && this.halt !== 'unknown_format') return FAULT_PAUSE_MS;
    if (this.adoptedEpoch !== lease.epoch) await this.adopt(lease);
    await this.watchGate(lease);
    if (isHalted) return FAULT_PAUSE_MS;
    await this.keepHouse(lease);
    return this.archive();
  }

  /** A new lease: nothing remembered from before counts. */
  private async adopt(lease: Lease): Promise<void> {
    const { metrics, logger, ledger } = this.dependencies;
    this.reader.forget();
    this.trim = this.newTrim();
    this.publishedSeq = undefined;
    this.housekeepingAtMs = 0;
    await this.writer.loadQuarantine();
    const [runId, openFor] = await Promise.all([ledger.serverRunId(), ledger.openRunId()]);
    if (runId === openFor) await compareAtCursor(this.gate, lease.seq);
    this.adoptedEpoch = lease.epoch;
    metrics.archiveOwner.value = 1;
    const place = { ...this.dependencies.id, epoch: lease.epoch, seq: lease.seq };
    logger.info({ event: LOG_EVENTS.archiveOwned, ...place }, 'archiving the partition');
  }

  private async watchGate(lease: Lease): Promise<void> {
    const outcome = await keepGate(this.gate, lease.seq);
    if (outcome.kind === 'was_open') return;
    this.reader.forget();
    this.publishedSeq = undefined;
    if (outcome.kind === 'moved') return;
    const { id, logger } = this.dependencies;
    const { replayedEntries } = outcome;
    logger.info({ event: LOG_EVENTS.ledgerOpened, ...id, replayedEntries }, 'the partition is open');
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
      this.oldestPendingMs = undefined;
    }
    this.onProgress();
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
    const { client, id, nowMs, logger } = this.dependencies;
    if (this.elapsedMs() < this.housekeepingAtMs) return;
    this.housekeepingAtMs = this.elapsedMs() + HOUSEKEEPING_MS;
    try {
      await client.ensureSegments(id, lease.seq, nowMs());
      const settled = await this.writer.retryQuarantine();
      if (settled > 0) logger.info({ ...id, settled }, 'events left quarantine');
    } catch (error) {
      const fault = { event: LOG_EVENTS.archiveFlushFailed, ...id, ...describeFault(error) };
      logger.warn(fault, 'housekeeping of the archive failed and will be tried again');
    }
  }

  private onCommit(batch: FoldedBatch, statementMs: number): void {
    const { metrics, nowMs, logger, id } = this.dependencies;
    const committedAtMs = nowMs();
    const events = batch.log.reduce((sum, row) => sum + row.eventCount, 0);
    metrics.archiveEvents.value += events;
    for (const { source, issuedSeq } of batch.coupons)
      if (issuedSeq >= 0) metrics.couponsIssued.child(source).value += 1;
    metrics.archiveBatchEvents.observe(events);
    metrics.archiveFlushSeconds.observe(statementMs / 1_000);
    for (const row of batch.log) {
      metrics.archiveLagSeconds.observe(Math.max(0, committedAtMs - row.timeMs) / 1_000);
    }
    for (const { seq, eventIndex, error } of batch.quarantine) {
      const fault = { event: LOG_EVENTS.archiveQuarantined, ...id, seq, eventIndex, reason: error };
      logger.error(fault, 'an event went to quarantine');
    }
  }

  private onFault(error: unknown): number {
    const { logger, id } = this.dependencies;
    const halt = error instanceof ForkError ? new HaltError('fork', error.message) : error;
    const fault = describeFault(halt);
    const isNews = this.lastFault !== fault.reason;
    this.lastFault = fault.reason;
    if (halt instanceof HaltError) this.stopFor(halt, isNews);
    else if (isNews) {
      const line = { event: LOG_EVENTS.archiveFlushFailed, ...id, ...fault };
      logger.warn(line, 'the archive could not go on and will try again');
    }
    return FAULT_PAUSE_MS;
  }

  private stopFor(halt: HaltError, isNews: boolean): void {
    const { metrics, logger, id } = this.dependencies;
    this.halt = halt.reason;
    this.haltedUntilMs = this.elapsedMs() + HALT_PAUSE_MS;
    metrics.archiveHalted.child(String(id.partition), halt.reason).value = 1;
    if (halt.reason === 'fork') metrics.archiveForkDetected.value = 1;
    const line = { event: LOG_EVENTS.archiveFork, ...id, halt: halt.reason, ...describeFault(halt) };
    if (isNews) logger.error(line, 'the partition is stopped until somebody has looked at it');
  }

  /** The archive is level with the stream or has moved: whatever stopped it before is over. */
  private onProgress(): void {
    const { id, metrics } = this.dependencies;
    if (this.halt !== undefined) metrics.archiveHalted.child(String(id.partition), this.halt).value = 0;
    this.halt = undefined;
    this.lastFault = undefined;
    this.progressAtMs = this.dependencies.nowMs();
    this.dependencies.metrics.archiveForkDetected.value = 0;
  }

  private notePending(first: DecodedEntry | undefined): void {
    if (first === undefined) this.oldestPendingMs = undefined;
    else if (first.kind === 'read') this.oldestPendingMs = first.entry.timeMs;
  }

  /** While the archive is stuck before it could read what waits, the age is counted from its last progress. */
  private oldestPendingSeconds(): number {
    const sinceMs = this.oldestPendingMs ?? (this.lastFault === undefined ? undefined : this.progressAtMs);
    if (sinceMs === undefined) return 0;
    return Math.max(0, this.dependencies.nowMs() - sinceMs) / 1_000;
  }

  private leave(): void {
    const { metrics, logger, id } = this.dependencies;
    const isLoss = this.adoptedEpoch !== undefined;
    if (isLoss) logger.info({ event: LOG_EVENTS.archiveLost, ...id }, 'no longer archiving the partition');
    this.adoptedEpoch = undefined;
    this.oldestPendingMs = undefined;
    this.lastFault = undefined;
    metrics.archiveOwner.value = 0;
  }

  private newTrim(): TrimMargin {
    const { trimMarginMs = TRIM_MARGIN_MS, trimIntervalMs = TRIM_INTERVAL_MS } = this.dependencies;
    return new TrimMargin(trimMarginMs, trimIntervalMs);
  }
}

/** What may be logged of an error: a driver's details can hold whole rows. */
function describeFault(error: unknown): { readonly reason: string; readonly code?: string } {
  if (!(error instanceof Error)) return { reason: String(error) };
  const code = 'code' in error ? { code: String(error.code) } : {};
  return { reason: `${error.name}: ${error.message}`, ...code };
}
