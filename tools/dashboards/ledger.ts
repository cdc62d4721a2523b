import { type Dashboard, type Panel, percentiles, query, rates, totalRate } from './panel.ts';

/** Gauges of the ledger mean something in processes that serve. */
const SERVING = ' and on (namespace, instance) promo_build_info{$s,role="serve"}';

const state: readonly Panel[] = [
  {
    kind: 'stat',
    title: 'Partitions open',
    description:
      'Off: a partition refused the last write of a process, because no archive process has opened it for the Redis that runs now.',
    unit: 'bool_on_off',
    width: 4,
    redBelow: 1,
    queries: [query(`min(promo_ledger_partition_open{$s}${SERVING})`, 'open')],
  },
  {
    kind: 'stat',
    title: 'Durable',
    description:
      'Off: Redis does not fsync before it answers, so DURABLE promotions are refused or fall back.',
    unit: 'bool_on_off',
    width: 4,
    redBelow: 1,
    queries: [query(`min(promo_ledger_durable{$s}${SERVING})`, 'durable')],
  },
  {
    kind: 'stat',
    title: 'Different histories',
    description:
      'Redis and Postgres hold different histories: somebody has to decide which one holds. See docs/runbooks/hongbao-fork.md.',
    unit: 'none',
    width: 4,
    redFrom: 1,
    queries: [query('max(promo_archive_fork_detected{$s})', 'fork')],
  },
  {
    kind: 'stat',
    title: 'Halted partitions',
    description:
      'Partitions that are not archived until somebody has looked: fork, hole, or a format of a newer release.',
    unit: 'none',
    width: 4,
    redFrom: 1,
    queries: [query('sum(promo_archive_halted{$s}) or vector(0)', 'halted')],
  },
  {
    kind: 'stat',
    title: 'Events in quarantine',
    description:
      'Events that are kept but could not be projected; their users wait. See docs/runbooks/hongbao-quarantine.md.',
    unit: 'none',
    width: 4,
    redFrom: 1,
    queries: [query('sum(promo_archive_quarantined_events{$s})', 'events')],
  },
  {
    kind: 'stat',
    title: 'Partitions nobody archives',
    description:
      'Partitions that no archiving process holds. For a moment when one hands over to another; for longer: see docs/runbooks/hongbao-archive-stalled.md.',
    unit: 'none',
    width: 4,
    redFrom: 1,
    queries: [
      query('count(max by (namespace, partition) (promo_archive_owner{$s}) == 0) or vector(0)', 'partitions'),
    ],
  },
];

const lag: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Backlog',
    description:
      'Events in Redis that are not in Postgres yet, as writes see it, and the number at which new claims are refused.',
    unit: 'none',
    queries: [
      query('max(promo_ledger_backlog_events{$s})', 'waiting'),
      query('max(promo_ledger_backlog_limit_events{$s})', 'claims are refused'),
    ],
  },
  {
    kind: 'timeseries',
    title: 'Oldest event not archived',
    description: 'Its age, by partition. Above a second: Postgres does not keep up or is away.',
    unit: 's',
    redFrom: 30,
    queries: [
      query('max by (partition) (promo_archive_oldest_unflushed_seconds{$s})', 'partition {{partition}}'),
    ],
  },
  {
    kind: 'timeseries',
    title: 'Lag of the archive',
    description:
      'From an event to its commit in Postgres; the objective is a p99 of one second at half of the peak.',
    unit: 's',
    redFrom: 1,
    queries: percentiles('promo_archive_lag_seconds'),
  },
  {
    kind: 'timeseries',
    title: 'Events archived',
    description: 'Events written to Postgres per second.',
    unit: 'ops',
    queries: [totalRate('promo_archive_events_total', 'events')],
  },
  {
    kind: 'timeseries',
    title: 'Events in one statement',
    description: 'The more wait, the more go together.',
    unit: 'none',
    queries: percentiles('promo_archive_batch_events'),
  },
  {
    kind: 'timeseries',
    title: 'Time of one statement',
    description: 'How long Postgres takes to commit a batch.',
    unit: 's',
    queries: percentiles('promo_archive_flush_seconds'),
  },
];

const replication: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Calls without their replicas',
    description: 'Script calls that fewer replicas confirmed in time than HONGBAO_REDIS_REPLICAS asks for.',
    unit: 'ops',
    redFrom: 0.001,
    queries: [totalRate('promo_ledger_unreplicated_calls_total', 'not confirmed')],
  },
  {
    kind: 'timeseries',
    title: 'Retries by cause',
    description: 'Calls to Redis made again, by cause.',
    unit: 'ops',
    queries: [rates('promo_ledger_retries_total', 'cause')],
  },
];

const jobs: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Runs of jobs that did not end well',
    description: 'Failed, or abandoned because their process died. They are tried again.',
    unit: 'ops',
    queries: [
      query(
        'sum by (job_name, outcome) (rate(promo_job_runs_total{$s,outcome!="done"}[$__rate_interval])) or sum by (job_name, outcome) (0 * promo_job_runs_total{$s,outcome="done"})',
        '{{job_name}} {{outcome}}',
      ),
    ],
  },
  {
    kind: 'table',
    title: 'Next runs',
    description: 'When each job with a cron line is due, in the process that leads. Far in the past: late.',
    unit: 'dateTimeFromNow',
    queries: [
      query(
        'max by (job_name) (1000 * promo_job_next_run_timestamp_seconds{$s} and on (namespace, instance) promo_job_leader{$s} == 1)',
        '{{job_name}}',
      ),
    ],
  },
  {
    kind: 'timeseries',
    title: 'Time of runs',
    description: 'How long runs take, by job.',
    unit: 's',
    queries: percentiles('promo_job_run_seconds', { by: 'job_name' }).slice(1),
  },
  {
    kind: 'timeseries',
    title: 'Age of the last good run',
    description: 'Of jobs, as the leader knows; a job that runs all the time stays near 0.',
    unit: 's',
    queries: [
      query('min by (job_name) (time() - promo_job_last_success_timestamp_seconds{$s})', '{{job_name}}'),
    ],
  },
  {
    kind: 'timeseries',
    title: 'Log past its retention',
    description:
      'Segments detached per second, and partitions whose oldest segment has to stay because somebody still reads it: see docs/jobs.md.',
    unit: 'none',
    queries: [
      totalRate('promo_archive_log_segments_detached_total', 'detached'),
      query('max(promo_archive_log_segments_held{$s})', 'held'),
    ],
  },
];

/** The way of what was acknowledged into Postgres. */
export const ledger: Dashboard = {
  uid: 'hongbao-ledger',
  title: 'Hongbao: ledger and archive',
  description: 'Is everything that was acknowledged safe, and how far behind is Postgres?',
  tags: ['ledger', 'archive'],
  rows: [
    { title: 'State', panels: state },
    { title: 'Lag', panels: lag },
    { title: 'Redis', panels: replication },
    { title: 'Jobs', panels: jobs },
  ],
};
