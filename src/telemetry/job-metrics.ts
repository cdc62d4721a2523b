/** What runs beside calls: jobs, webhooks and streams of events, and events of the shop. */
import { JOB_SECONDS } from './buckets.ts';
import { type Declare, withChildren } from './declarations.ts';

/** How a run of a job ended. */
export type JobOutcome = 'done' | 'failed' | 'abandoned';

/** What became of a batch of events sent to a webhook. */
export type DeliveryOutcome = 'delivered' | 'failed' | 'dead';

/** How an attempt at an event of the shop ended. */
export type EventAttempt = 'applied' | 'ignored' | 'waiting' | 'failed';

/** Declares them. */
export function jobMetrics(declare: Declare) {
  // Not `job`: Prometheus names the scraped target so.
  const labels = ['job_name'];
  return {
    jobRuns: declare.counters<readonly [string, JobOutcome]>(
      'promo_job_runs_total',
      'Runs of jobs, by outcome.',
      ['job_name', 'outcome'],
    ),
    jobLastSuccess: declare.gauges<readonly [string]>(
      'promo_job_last_success_timestamp_seconds',
      'When the job last ended well, as the leader knows.',
      labels,
    ),
    jobNextRun: declare.gauges<readonly [string]>(
      'promo_job_next_run_timestamp_seconds',
      'When the job is due next; only of jobs with a cron line that are enabled.',
      labels,
    ),
    jobSeconds: declare.histograms<readonly [string]>(
      'promo_job_run_seconds',
      'Time of one run.',
      labels,
      JOB_SECONDS,
    ),
    couponsExpired: declare.counter(
      'promo_coupons_expired_total',
      'Coupons found past their date and not used, each counted once.',
    ),
    logSegmentsDetached: declare.counter(
      'promo_archive_log_segments_detached_total',
      'Segments of the log taken out of it because their retention was over.',
    ),
    logSegmentsHeld: declare.gauge(
      'promo_archive_log_segments_held',
      'Partitions whose oldest segment of the log is past its retention and cannot be detached yet, as the last run found.',
    ),
    jobLeader: declare.gauge('promo_job_leader', '1 in the process that runs the jobs.'),
  };
}

/** Declares them. */
export function feedMetrics(declare: Declare) {
  return {
    feedStreams: declare.gauge('promo_feed_streams', 'Streams of events that are open.'),
    feedEvents: declare.counter('promo_feed_events_total', 'Events sent over streams.'),
    webhookDeliveries: withChildren(
      declare.counters<readonly [DeliveryOutcome]>(
        'promo_webhook_deliveries_total',
        'Batches sent to webhooks, by outcome; `dead` is the last failed attempt of a batch.',
        ['outcome'],
      ),
      ['delivered', 'failed', 'dead'],
    ),
    webhookDeadLetters: declare.gauge(
      'promo_webhook_dead_letters',
      'Events no webhook took in all attempts and nobody has sent again.',
    ),
    webhookLagSeconds: declare.gauge(
      'promo_webhook_lag_seconds',
      'Age of the oldest batch that waits for a webhook; the largest of all webhooks.',
    ),
  };
}

/** Declares them. */
export function eventMetrics(declare: Declare) {
  return {
    events: declare.counters<readonly [string, EventAttempt]>(
      'promo_events_total',
      'Attempts at events of the shop, by event and how they ended.',
      ['kind', 'outcome'],
    ),
    eventsUnsettled: declare.gauge(
      'promo_events_unsettled',
      'Events that were taken in and have not done what they say yet.',
    ),
  };
}
