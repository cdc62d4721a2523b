/**
 * Every metric of the product, declared once. Names are in base units; labels come from closed lists, never a user, a
 * coupon or a token. Components take the `Metrics` of their process and add to its fields.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { RefusalReason } from '../domain/refusal.ts';
import { type Declare, declarations } from './declarations.ts';
import { evaluationPoolMetrics } from './evaluation-pool-metrics.ts';
import { registerEventLoop } from './event-loop.ts';
import { eventMetrics, feedMetrics, jobMetrics } from './job-metrics.ts';
import { leaseMetrics } from './lease-metrics.ts';
import { archiveMetrics, ledgerMetrics } from './ledger-metrics.ts';
import { pointsMetrics, redemptionMetrics, returnMetrics } from './order-metrics.ts';
import { reasons } from './refusal-reasons.ts';
import { serverMetrics } from './server-metrics.ts';
import { traceMetrics } from './trace-metrics.ts';

/** How an evaluation ended: decided, or refused with a reason. */
export type EvaluationOutcome = 'decided' | RefusalReason;

/** Who is running: shown by `promo_build_info`. */
export interface Build {
  readonly version: string;
  readonly node: string;
  /** What the process does; dashboards and alerts tell processes apart by it. Empty outside the roles. */
  readonly role?: 'serve' | 'archive';
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
    .gauges<readonly [string, string, string]>(
      'promo_build_info',
      'Version of the product and of Node, and the role of the process.',
      ['version', 'node', 'role'],
    )
    .child(build.version, build.node, build.role ?? '').value = 1;
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
    ...traceMetrics(declare),
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
