/** The gauges of the archive where one process archives several partitions: each sets its own, a scrape sees them together. */
import { Gauge } from '../telemetry/metric.ts';
import type { ArchiveMetrics } from './archiver.ts';

/** The worst of them, or all of them together. */
type Joined = (values: readonly number[]) => number;

const worst: Joined = (values) => Math.max(...values);
const sum: Joined = (values) => values.reduce((total, value) => total + value, 0);
const least: Joined = (values) => Math.min(...values);

const JOINED = {
  archiveOldestUnflushedSeconds: worst,
  archiveQuarantinedEvents: sum,
  archiveForkDetected: worst,
  archiveOwner: least,
} as const satisfies Partial<Record<keyof ArchiveMetrics, Joined>>;

/** Metrics for each of so many archivers; with one they are the process's own. */
export function metricsOfPartitions(metrics: ArchiveMetrics, partitions: number): readonly ArchiveMetrics[] {
  if (partitions === 1) return [metrics];
  const each = Array.from({ length: partitions }, () => ({
    ...metrics,
    archiveOldestUnflushedSeconds: new Gauge(),
    archiveQuarantinedEvents: new Gauge(),
    archiveForkDetected: new Gauge(),
    archiveOwner: new Gauge(),
  }));
  const join = (name: keyof typeof JOINED): void => {
    metrics[name].source = () => JOINED[name](each.map((own) => own[name].read()));
  };
  join('archiveOldestUnflushedSeconds');
  join('archiveQuarantinedEvents');
  join('archiveForkDetected');
  join('archiveOwner');
  return each;
}
