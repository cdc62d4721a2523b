/**
 * Every metric of the product, declared once. Names are in base units; labels come from closed lists, never a user, a
 * coupon or a token. Components take the `Metrics` of their process and add to its fields.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { RefundPolicy } from '../domain/refund.ts';
import { RETURN_OUTCOMES, type ReturnOutcome } from '../domain/refund-record.ts';
import { REASONS, type RefusalReason } from '../domain/refusal.ts';
import { type Declare, declarations } from './declarations.ts';
import { evaluationPoolMetrics } from './evaluation-pool-metrics.ts';
import { registerEventLoop } from './event-loop.ts';
import { leaseMetrics } from './lease-metrics.ts';

/** How a claim ended: taken now, taken earlier by the same request, or refused with a reason. */
export type ClaimOutcome = 'claimed' | 'replayed' | RefusalReason;

/** What was asked of the coupons of an order. */
export type RedemptionCall = 'reserve' | 'use' | 'commit' | 'release';

/** How it ended: carried out now, carried out before, or refused with a reason. */
export type RedemptionOutcome = 'done' | 'replayed' | RefusalReason;

/** How an evaluation ended: decided, or refused with a reason. */
export type EvaluationOutcome = 'decided' | RefusalReason;

/** How points moved: what came, what went, and what was to be taken back and had been spent. */
export type PointsMovement = 'earned' | 'awarded' | 'spent' | 'reversed' | 'owed' | 'expired';

/** How an exchange ended: bought now, bought earlier by the same request, or refused with a reason. */
export type ExchangeOutcome = 'exchanged' | 'replayed' | RefusalReason;

/** Why a call to a store was repeated. */
export type RetryCause = 'connection' | 'timeout' | 'script_missing' | 'period' | 'closed' | 'failed_batch';

/** Why a caller was turned away before the method was looked at. */
export type AuthRejection =
  | 'missing'
  | 'malformed'
  | 'invalid'
  | 'expired'
  | 'no_identity'
  | 'denied'
  | 'certificate'
  | 'keys_unavailable';

/** How reading something again that had changed, or could not be read, ended. */
export type ReadOutcome = 'changed' | 'failed';

/** How a run of a job ended. */
export type JobOutcome = 'done' | 'failed' | 'abandoned';

/** What became of a batch of events sent to a webhook. */
export type DeliveryOutcome = 'delivered' | 'failed' | 'dead';

/** Seconds of a call, around the objectives: half a millisecond to one second, then up to the longest deadline. */
const CALL_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** Seconds of one script; a batch is bounded to two milliseconds. */
const SCRIPT_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];
/** Seconds from an event to its commit in Postgres; the objective is one. */
const LAG_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Items in a batch. */
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
/** Events in one statement of the archive. */
const FLUSH_SIZES = [1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 50_000];

const POINTS_MOVEMENTS: readonly PointsMovement[] = [
  'earned',
  'awarded',
  'spent',
  'reversed',
  'owed',
  'expired',
];

/** Seconds of a run of a job: a look that finds nothing up to a night's work. */
const JOB_SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 5, 30, 60, 300, 1800, 7200];

/** How an attempt at an event of the shop ended. */
export type EventAttempt = 'applied' | 'ignored' | 'waiting' | 'failed';

/** Who is running: shown by `promo_build_info`. */
export interface Build {
  readonly version: string;
  readonly node: string;
}

/** Everything that is counted. */
export type Metrics = ReturnType<typeof createMetrics>;

/** The metrics of one process, with the defaults of prom-client for the process and Node. */
export function createMetrics(build: Build) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  registerEventLoop(registry);
  const declare = declarations(registry);
  declare
    .gauges<readonly [string, string]>('promo_build_info', 'Version of the product and of Node.', [
      'version',
      'node',
    ])
    .child(build.version, build.node).value = 1;
  return {
    registry,
    ...serverMetrics(declare),
    ...ledgerMetrics(declare),
    ...pointsMetrics(declare),
    ...redemptionMetrics(declare),
    ...returnMetrics(declare),
    ...archiveMetrics(declare),
    ...definitionMetrics(declare),
    ...evaluationMetrics(declare),
    ...jobMetrics(declare),
    ...feedMetrics(declare),
    ...eventMetrics(declare),
  };
}

function serverMetrics(declare: Declare) {
  const labels = ['grpc_service', 'grpc_method'];
  return {
    serverStarted: declare.counters<readonly [string, string]>(
      'grpc_server_started_total',
      'Calls begun, on every protocol.',
      labels,
    ),
    serverHandled: declare.counters<readonly [string, string, string]>(
      'grpc_server_handled_total',
      'Calls answered, on every protocol, by status code.',
      [...labels, 'grpc_code'],
    ),
    serverHandlingSeconds: declare.histograms<readonly [string, string]>(
      'grpc_server_handling_seconds',
      'Time from the headers of a call to its answer.',
      labels,
      CALL_SECONDS,
    ),
    authRejections: declare.counters<readonly [AuthRejection]>(
      'promo_auth_rejections_total',
      'Callers turned away, by reason.',
      ['reason'],
    ),
    authKeyReads: declare.counters<readonly [ReadOutcome]>(
      'promo_auth_key_reads_total',
      'Times the keys of tokens were read and had changed, or could not be read.',
      ['outcome'],
    ),
    tlsReloads: declare.counters<readonly [ReadOutcome]>(
      'promo_tls_reloads_total',
      'Times the files of TLS changed and were taken, or could not be used.',
      ['outcome'],
    ),
    rateLimited: declare.counters<readonly ['caller' | 'user']>(
      'promo_rate_limited_total',
      'Calls refused because somebody called too often, by whose limit it was.',
      ['limit'],
    ),
    serverInFlight: declare.gauge('promo_server_in_flight', 'Unary calls under way.'),
    serverShed: declare.counter('promo_server_shed_total', 'Calls refused because too many were under way.'),
  };
}

function ledgerMetrics(declare: Declare) {
  const claims = declare.counters<readonly [ClaimOutcome]>('promo_claims_total', 'Claims by outcome.', [
    'outcome',
  ]);
  // Every outcome exists from the start, so that the first one of a kind already is a rise from zero.
  for (const outcome of ['claimed', 'replayed', ...reasons()] as const) claims.child(outcome);
  const codeClaims = declare.counters<readonly [ClaimOutcome]>(
    'promo_code_claims_total',
    'Codes tried for the wallet, by outcome.',
    ['outcome'],
  );
  for (const outcome of ['claimed', 'replayed', ...reasons()] as const) codeClaims.child(outcome);
  return {
    codeClaims,
    claims,
    ledgerBatchItems: declare.histogram(
      'promo_ledger_batch_items',
      'Writes in one script call.',
      BATCH_SIZES,
    ),
    scriptSeconds: declare.histogram(
      'promo_ledger_script_seconds',
      'Time from sending a script call to its reply.',
      SCRIPT_SECONDS,
    ),
    ledgerQueueItems: declare.gauge('promo_ledger_queue_items', 'Writes waiting to be sent.'),
    ledgerInflight: declare.gauge('promo_ledger_inflight', 'Writes sent and not yet answered.'),
    ledgerRetries: declare.counters<readonly [RetryCause]>(
      'promo_ledger_retries_total',
      'Calls repeated, by cause.',
      ['cause'],
    ),
    ledgerPartitionOpen: declare.gauge('promo_ledger_partition_open', '1 when the partition takes writes.'),
    ledgerDurable: declare.gauge(
      'promo_ledger_durable',
      '1 when Redis fsyncs every write before it answers.',
    ),
    ledgerBacklogEvents: declare.gauge(
      'promo_ledger_backlog_events',
      'Events in Redis that are not yet in Postgres.',
    ),
    ledgerScriptErrors: declare.counter(
      'promo_ledger_script_errors_total',
      'Script calls that ended with an error.',
    ),
  };
}

function redemptionMetrics(declare: Declare) {
  const redemptions = declare.counters<readonly [RedemptionCall, RedemptionOutcome]>(
    'promo_redemptions_total',
    'Calls to reserve, use, commit and release what orders use, by outcome.',
    ['call', 'outcome'],
  );
  for (const call of ['reserve', 'use', 'commit', 'release'] as const)
    for (const outcome of ['done', 'replayed'] as const) redemptions.child(call, outcome);
  return { redemptions };
}

function pointsMetrics(declare: Declare) {
  const points = declare.counters<readonly [PointsMovement]>('promo_points_total', 'Points moved.', [
    'movement',
  ]);
  for (const movement of POINTS_MOVEMENTS) points.child(movement);
  const exchanges = declare.counters<readonly [ExchangeOutcome]>(
    'promo_exchanges_total',
    'Exchanges of points for coupons by outcome.',
    ['outcome'],
  );
  for (const outcome of ['exchanged', 'replayed', ...reasons()] as const) exchanges.child(outcome);
  return { points, exchanges };
}

function returnMetrics(declare: Declare) {
  const couponReturns = declare.counters<readonly [ReturnOutcome]>(
    'promo_coupon_returns_total',
    'Coupons of committed orders given back, by what became of them.',
    ['outcome'],
  );
  for (const outcome of RETURN_OUTCOMES) couponReturns.child(outcome);
  const refunds = declare.counters<readonly [RefundPolicy]>('promo_refunds_total', 'Refunds by policy.', [
    'policy',
  ]);
  for (const policy of ['keep', 'reevaluate', 'claw_back'] as const) refunds.child(policy);
  return { couponReturns, refunds };
}

function archiveMetrics(declare: Declare) {
  return {
    archiveLagSeconds: declare.histogram(
      'promo_archive_lag_seconds',
      'Time from an event to its commit in Postgres.',
      LAG_SECONDS,
    ),
    archiveOldestUnflushedSeconds: declare.gauge(
      'promo_archive_oldest_unflushed_seconds',
      'Age of the oldest event that is not yet in Postgres.',
    ),
    archiveBatchEvents: declare.histogram(
      'promo_archive_batch_events',
      'Events in one statement.',
      FLUSH_SIZES,
    ),
    archiveFlushSeconds: declare.histogram(
      'promo_archive_flush_seconds',
      'Time of one statement.',
      CALL_SECONDS,
    ),
    archiveEvents: declare.counter('promo_archive_events_total', 'Events written to Postgres.'),
    archiveQuarantinedEvents: declare.gauge(
      'promo_archive_quarantined_events',
      'Events in the log that could not be projected.',
    ),
    archiveForkDetected: declare.gauge(
      'promo_archive_fork_detected',
      '1 when Redis and Postgres hold different histories.',
    ),
    archiveOwner: declare.gauge('promo_archive_owner', '1 in the process that archives the partition.'),
    postgresSeconds: declare.histograms<readonly [string]>(
      'promo_postgres_seconds',
      'Time of a statement, by operation.',
      ['operation'],
      CALL_SECONDS,
    ),
  };
}

function definitionMetrics(declare: Declare) {
  return {
    ruleSetVersion: declare.gauge('promo_rule_set_version', 'Version of the rule set in force.'),
    ruleSetAgeSeconds: declare.gauge(
      'promo_rule_set_age_seconds',
      'Time since the rule set was last known to be the newest.',
    ),
    ruleSetLoadErrors: declare.counter(
      'promo_rule_set_load_errors_total',
      'Loads of the rule set that failed.',
    ),
    definitionOutboxPending: declare.gauge(
      'promo_definition_outbox_pending',
      'Changes of promotions the ledger does not have yet.',
    ),
  };
}

function jobMetrics(declare: Declare) {
  const labels = ['job'];
  return {
    jobRuns: declare.counters<readonly [string, JobOutcome]>(
      'promo_job_runs_total',
      'Runs of jobs, by outcome.',
      ['job', 'outcome'],
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
    jobLeader: declare.gauge('promo_job_leader', '1 in the process that runs the jobs.'),
  };
}

function feedMetrics(declare: Declare) {
  return {
    feedStreams: declare.gauge('promo_feed_streams', 'Streams of events that are open.'),
    feedEvents: declare.counter('promo_feed_events_total', 'Events sent over streams.'),
    webhookDeliveries: declare.counters<readonly [DeliveryOutcome]>(
      'promo_webhook_deliveries_total',
      'Batches sent to webhooks, by outcome; `dead` is the last failed attempt of a batch.',
      ['outcome'],
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

function eventMetrics(declare: Declare) {
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

function evaluationMetrics(declare: Declare) {
  const evaluations = declare.counters<readonly [EvaluationOutcome]>(
    'promo_evaluations_total',
    'Carts evaluated, coupons listed and validated, by outcome.',
    ['outcome'],
  );
  for (const outcome of ['decided', ...reasons()] as const) evaluations.child(outcome);
  return {
    evaluations,
    ...evaluationPoolMetrics(declare),
    ...leaseMetrics(declare),
    ruleSetFaults: declare.counter(
      'promo_rule_set_faults_total',
      'Promotion versions that could not be compiled; the last good version goes on serving.',
    ),
  };
}

function reasons(): RefusalReason[] {
  return Object.keys(REASONS).filter((name): name is RefusalReason => name in REASONS);
}
