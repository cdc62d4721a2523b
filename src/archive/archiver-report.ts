/** What an archiver says of its partition: figures for scrapes, and lines for the log. */
import type { Logger } from 'pino';
import { LOG_EVENTS } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { describeFault } from './describe-fault.ts';
import type { HaltError, HaltReason } from './halt.ts';
import type { Lease } from './lease.ts';
import type { PartitionId } from './ledger-port.ts';
import type { FoldedBatch } from './projection.ts';

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

/** Of which partition, and to whom it is said. */
export interface ReportPorts {
  readonly id: PartitionId;
  readonly metrics: ArchiveMetrics;
  readonly logger: Logger;
  /** Wall clock, ms since the epoch. */
  readonly nowMs: () => number;
}

/** Keeps the figures of one partition, and tells news once. A partition that is not held has no figures: its owner gives them. */
export class ArchiverReport {
  private readonly ports: ReportPorts;
  private readonly partition: string;
  private isOwner = false;
  private lastFault: string | undefined;
  private oldestPendingMs: number | undefined;
  private progressAtMs: number;
  private halt: HaltReason | undefined;

  /** @param quarantinedEvents how many events wait in quarantine, as far as is known */
  constructor(ports: ReportPorts, quarantinedEvents: () => number) {
    const { metrics, id, nowMs } = ports;
    this.ports = ports;
    this.partition = String(id.partition);
    this.progressAtMs = nowMs();
    metrics.archiveOwner.child(this.partition).source = () => Number(this.isOwner);
    metrics.archiveForkDetected.child(this.partition).source = () => Number(this.halt === 'fork');
    metrics.archiveOldestUnflushedSeconds.child(this.partition).source = () => this.oldestPendingSeconds();
    metrics.archiveQuarantinedEvents.child(this.partition).source = () =>
      this.isOwner ? quarantinedEvents() : 0;
  }

  /** Why the partition is not archived until somebody has looked at it, if it is not. */
  get haltedFor(): HaltReason | undefined {
    return this.halt;
  }

  /** The partition is held. */
  owned({ epoch, seq }: Lease): void {
    this.isOwner = true;
    const place = { ...this.ports.id, epoch, seq };
    this.ports.logger.info({ event: LOG_EVENTS.archiveOwned, ...place }, 'archiving the partition');
  }

  /** It is not, or not any more. */
  left(): void {
    const { logger, id } = this.ports;
    if (this.isOwner)
      logger.info({ event: LOG_EVENTS.archiveLost, ...id }, 'no longer archiving the partition');
    this.isOwner = false;
    this.oldestPendingMs = undefined;
    this.lastFault = undefined;
    this.endHalt();
  }

  /** Its gate was opened. */
  opened(replayedEntries: number): void {
    const { logger, id } = this.ports;
    logger.info({ event: LOG_EVENTS.ledgerOpened, ...id, replayedEntries }, 'the partition is open');
  }

  /** What is read next and not archived yet was written at this time; undefined when nothing waits. */
  pending(sinceMs: number | undefined): void {
    this.oldestPendingMs = sinceMs;
  }

  /** A batch is in Postgres. */
  committed(batch: FoldedBatch, statementMs: number): void {
    const { metrics, nowMs, logger, id } = this.ports;
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

  /** Events in quarantine could be projected. */
  settled(events: number): void {
    const { logger, id } = this.ports;
    if (events > 0) logger.info({ ...id, settled: events }, 'events left quarantine');
  }

  /** The archive is level with the stream or has moved: whatever stopped it before is over. */
  progressed(): void {
    this.endHalt();
    this.lastFault = undefined;
    this.progressAtMs = this.ports.nowMs();
  }

  /** It could not go on, and will by itself. */
  failed(error: unknown): void {
    const { logger, id } = this.ports;
    const fault = describeFault(error);
    const line = { event: LOG_EVENTS.archiveFlushFailed, ...id, ...fault };
    if (this.isNews(fault.reason)) logger.warn(line, 'the archive could not go on and will try again');
  }

  /** It will not by itself. */
  halted(halt: HaltError): void {
    const { metrics, logger, id } = this.ports;
    if (this.halt !== halt.reason) this.endHalt();
    this.halt = halt.reason;
    metrics.archiveHalted.child(this.partition, halt.reason).value = 1;
    const fault = describeFault(halt);
    const line = { event: LOG_EVENTS.archiveFork, ...id, halt: halt.reason, ...fault };
    if (this.isNews(fault.reason))
      logger.error(line, 'the partition is stopped until somebody has looked at it');
  }

  /** What is done beside the archiving failed, which does not stop it. */
  housekeepingFailed(error: unknown): void {
    const { logger, id } = this.ports;
    const fault = { event: LOG_EVENTS.archiveFlushFailed, ...id, ...describeFault(error) };
    logger.warn(fault, 'housekeeping of the archive failed and will be tried again');
  }

  private endHalt(): void {
    if (this.halt !== undefined) this.ports.metrics.archiveHalted.child(this.partition, this.halt).value = 0;
    this.halt = undefined;
  }

  private isNews(reason: string): boolean {
    const isNews = this.lastFault !== reason;
    this.lastFault = reason;
    return isNews;
  }

  /** While the archive is stuck before it could read what waits, the age is counted from its last progress. */
  private oldestPendingSeconds(): number {
    const sinceMs = this.oldestPendingMs ?? (this.lastFault === undefined ? undefined : this.progressAtMs);
    if (sinceMs === undefined) return 0;
    return Math.max(0, this.ports.nowMs() - sinceMs) / 1_000;
  }
}
