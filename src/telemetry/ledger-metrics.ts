/** Claims, the ledger's calls, and the way of its events to the archive. */
import { COUPON_SOURCES } from '../domain/coupon.ts';
import type { RefusalReason } from '../domain/refusal.ts';
import { BATCH_SIZES, CALL_SECONDS, FLUSH_SIZES, LAG_SECONDS, SCRIPT_SECONDS } from './buckets.ts';
import { type Declare, withChildren } from './declarations.ts';
import { reasons } from './refusal-reasons.ts';

/** How a claim ended: taken now, taken earlier by the same request, or refused with a reason. */
export type ClaimOutcome = 'claimed' | 'replayed' | RefusalReason;

/** Why a call to a store was repeated. */
export type RetryCause = (typeof RETRY_CAUSES)[number];

const RETRY_CAUSES = ['connection', 'timeout', 'script_missing', 'period', 'closed', 'failed_batch'] as const;

/** Declares them. */
export function ledgerMetrics(declare: Declare) {
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
    ledgerRetries: withChildren(
      declare.counters<readonly [RetryCause]>('promo_ledger_retries_total', 'Calls repeated, by cause.', [
        'cause',
      ]),
      RETRY_CAUSES,
    ),
    ledgerPartitionOpen: declare.gauge(
      'promo_ledger_partition_open',
      '0 when a partition refused the last write because it is closed, or the process has no ledger; otherwise 1.',
    ),
    ledgerDurable: declare.gauge(
      'promo_ledger_durable',
      '1 when Redis fsyncs every write before it answers.',
    ),
    ledgerUnreplicatedCalls: declare.counter(
      'promo_ledger_unreplicated_calls_total',
      'Script calls that fewer replicas confirmed in time than are configured.',
    ),
    ledgerBacklogEvents: declare.gauge(
      'promo_ledger_backlog_events',
      'Events in Redis that are not yet in Postgres, in the partition that has most of them.',
    ),
    ledgerBacklogLimitEvents: declare.gauge(
      'promo_ledger_backlog_limit_events',
      'Events not yet in Postgres at which new claims are refused; 0 in a process without a ledger.',
    ),
    ledgerScriptErrors: declare.counter(
      'promo_ledger_script_errors_total',
      'Script calls that ended with an error.',
    ),
  };
}

/** Declares them. */
export function archiveMetrics(declare: Declare) {
  const ofPartition = (name: string, help: string) =>
    declare.gauges<readonly [partition: string]>(name, help, ['partition']);
  return {
    archiveLagSeconds: declare.histogram(
      'promo_archive_lag_seconds',
      'Time from an event to its commit in Postgres.',
      LAG_SECONDS,
    ),
    archiveOldestUnflushedSeconds: ofPartition(
      'promo_archive_oldest_unflushed_seconds',
      'Age of the oldest event of a partition that is not yet in Postgres; 0 in a process that does not archive it.',
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
    archiveQuarantinedEvents: ofPartition(
      'promo_archive_quarantined_events',
      'Events in the log of a partition that could not be projected; 0 in a process that does not archive it.',
    ),
    archiveForkDetected: ofPartition(
      'promo_archive_fork_detected',
      '1 while Redis and Postgres hold different histories of a partition.',
    ),
    archiveHalted: declare.gauges<readonly [partition: string, reason: 'fork' | 'hole' | 'unknown_format']>(
      'promo_archive_halted',
      '1 while a partition is not archived until somebody has looked at it, by the reason.',
      ['partition', 'reason'],
    ),
    archiveOwner: ofPartition('promo_archive_owner', '1 in the process that archives a partition.'),
    couponsIssued: withChildren(
      declare.counters<readonly [source: string]>(
        'promo_coupons_issued_total',
        'Coupons that came into being, by the way they came; counted when they reach Postgres.',
        ['source'],
      ),
      COUPON_SOURCES,
    ),
  };
}
