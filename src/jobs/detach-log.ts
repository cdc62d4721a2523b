/**
 * `detach-log`: segments of the log that are past their retention leave it, so that Postgres does not grow for ever. They become
 * plain tables in the schema `hongbao_detached`; dumping and dropping them is the operator's.
 *
 * Oldest first, and only while the log stays without a gap and nobody needs them: everything in a segment is archived,
 * projected, gone from Redis, and behind every webhook and reader whose place is stored. Callers that keep their cursor
 * themselves are told by the feed when what they want is gone.
 */
import {
  type Detachment,
  detachLogSegment,
  isProjected,
  type LogSegment,
  newestTimeOf,
  readLogSegments,
} from '../archive/detach-segments.ts';
import type { PartitionId } from '../archive/ledger-port.ts';
import type { ArchivePlaces } from '../archive/places.ts';
import type { Sql } from '../database/client.ts';
import { MS_PER_DAY } from '../domain/durations.ts';
import { neededSeq } from '../feed/kept-log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Job, JobContext, JobCounts } from './job.ts';
import { DETACH_MS, SEGMENTS_PER_RUN } from './limits.ts';
import { readStoredReaders, type StoredReader } from './store/log-readers.ts';

/** What the job needs. */
export interface DetachPorts {
  readonly sql: Sql;
  readonly places: ArchivePlaces;
  readonly ledger: Pick<Ledger, 'oldestEntryAt'>;
  /** 0 switches the job off. */
  readonly days: number;
  readonly cron: string;
  readonly timeZone: string;
  readonly metrics: Pick<Metrics, 'logSegmentsDetached' | 'logSegmentsHeld'>;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** From which entry on somebody reads a log. */
interface Need {
  readonly by: string;
  readonly seq: number;
}

/** Makes the job. */
export function createDetachJob(ports: DetachPorts): Job {
  return {
    name: 'detach-log',
    description: 'Takes segments of the log of events that are past their retention out of it.',
    times: { kind: 'cron', cron: ports.cron, timeZone: ports.timeZone },
    isEnabled: ports.days > 0,
    run: (context) => new DetachRun(ports, context).run(),
  };
}

/** One run. */
class DetachRun {
  private readonly ports: DetachPorts;
  private readonly context: JobContext;
  private readonly beforeMs: number;
  /** `held`: partitions whose oldest segment is due and still needed; `busy`: those whose locks could not be had. */
  private readonly counts = { detached: 0, held: 0, busy: 0 };

  constructor(ports: DetachPorts, context: JobContext) {
    this.ports = ports;
    this.context = context;
    this.beforeMs = context.nowMs - ports.days * MS_PER_DAY;
  }

  async run(): Promise<JobCounts> {
    // A run by hand of a job that is switched off detaches nothing: every segment would be old enough.
    if (this.ports.days === 0) return { ...this.counts };
    const segments = await readLogSegments(this.ports.sql, this.deadline());
    const known = segments.filter(({ id }) => id.generation <= this.ports.places.generation);
    const readers = await readStoredReaders(this.ports.sql, this.deadline());
    for (const own of Map.groupBy(known, ({ id }) => `${id.generation}/${id.partition}`).values())
      await this.shorten(own, readers);
    if (!this.context.signal.aborted) this.ports.metrics.logSegmentsHeld.value = this.counts.held;
    return { ...this.counts };
  }

  /** Detaches from the beginning of one log up to the first segment that has to stay. */
  private async shorten(segments: readonly LogSegment[], readers: readonly StoredReader[]): Promise<void> {
    for (const segment of segments) {
      if (this.context.signal.aborted || this.counts.detached >= SEGMENTS_PER_RUN) return;
      const need = await this.needOf(segment, readers);
      const became = need === undefined ? 'young' : await this.detach(segment, need);
      this.note(segment, became, need);
      if (became !== 'detached' && became !== 'gone') return;
      this.context.progress({ ...this.counts });
    }
  }

  /** Who needs the log of a segment from its earliest entry on; undefined while the segment is not due at all. */
  private async needOf(segment: LogSegment, readers: readonly StoredReader[]): Promise<Need | undefined> {
    const newestMs = await newestTimeOf(this.ports.sql, segment, this.deadline());
    if (newestMs !== undefined && newestMs >= this.beforeMs) return undefined;
    const needs = [
      await this.needOfRedis(segment.id),
      ...readers.map((reader) => needOf(reader, segment.id)),
    ];
    return needs.reduce((one, other) => (other.seq < one.seq ? other : one));
  }

  /** Of a generation that is over Redis has nothing; of the one in force it keeps the newest, or is being recovered. */
  private async needOfRedis({ generation, partition }: PartitionId): Promise<Need> {
    const by = 'Redis';
    if (generation !== this.ports.places.generation) return { by, seq: Number.MAX_SAFE_INTEGER };
    const oldest = await this.ports.ledger.oldestEntryAt(partition, this.deadline());
    return { by, seq: oldest?.generation === generation ? oldest.seq : -1 };
  }

  private async detach(segment: LogSegment, { seq: belowSeq }: Need): Promise<Detachment> {
    if (segment.toSeq > belowSeq) return 'needed';
    if (!(await isProjected(this.ports.sql, segment, () => this.deadline()))) return 'unprojected';
    const { beforeMs } = this;
    return await detachLogSegment(this.ports.sql, segment, { beforeMs, belowSeq }, this.deadline());
  }

  private note(
    { name: segment, fromSeq, toSeq }: LogSegment,
    became: Detachment,
    need: Need | undefined,
  ): void {
    const { logger, metrics } = this.ports;
    if (became === 'young' || became === 'gone') return;
    if (became === 'detached') {
      this.counts.detached += 1;
      metrics.logSegmentsDetached.value += 1;
      const line = { event: LOG_EVENTS.logSegmentDetached, segment, fromSeq, toSeq };
      logger.info(line, 'a segment of the log was detached: dump and drop it in hongbao_detached');
      return;
    }
    this.counts[became === 'busy' ? 'busy' : 'held'] += 1;
    const line = { event: LOG_EVENTS.logSegmentHeld, segment, reason: became };
    const by = became === 'needed' ? { neededBy: need?.by } : {};
    logger.warn({ ...line, ...by }, 'a segment of the log is past its retention and stays');
  }

  private deadline(): number {
    return this.ports.nowMs() + DETACH_MS;
  }
}

/** A reader in an earlier generation still has all of this one before it, one in a later generation is through with it. */
function needOf({ name: by, position }: StoredReader, { generation, partition }: PartitionId): Need {
  if (position.generation > generation) return { by, seq: Number.MAX_SAFE_INTEGER };
  const place = position.generation === generation ? position.logs[partition] : undefined;
  return { by, seq: place === undefined ? -1 : neededSeq(place) };
}
