import { type Dashboard, type Panel, percentiles, query, rates, totalRate } from './panel.ts';

const decisions: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Evaluations by outcome',
    description:
      'Carts evaluated, coupons listed and validated. EVALUATION_OVERLOADED: the worker threads do not keep up.',
    unit: 'ops',
    queries: [rates('promo_evaluations_total', 'outcome')],
  },
  {
    kind: 'timeseries',
    title: 'Time in a worker',
    description:
      'Of one request, decoding and encoding included; light = ordinary carts, heavy = large ones.',
    unit: 's',
    queries: percentiles('promo_evaluation_seconds', { by: 'pool' }),
  },
  {
    kind: 'timeseries',
    title: 'Time before a worker',
    description: 'How long a request waits for a worker. Above the time in a worker: add processes.',
    unit: 's',
    queries: percentiles('promo_evaluation_queue_seconds', { by: 'pool' }),
  },
  {
    kind: 'timeseries',
    title: 'Requests waiting',
    description: 'Requests waiting for a worker now.',
    unit: 'none',
    queries: [query('sum by (pool) (promo_evaluation_waiting{$s})', '{{pool}}')],
  },
  {
    kind: 'timeseries',
    title: 'Requests in one batch',
    description: 'Grows with load; a hop to a worker is shared by the batch.',
    unit: 'none',
    queries: percentiles('promo_evaluation_batch_items', { by: 'pool' }),
  },
  {
    kind: 'timeseries',
    title: 'Worker restarts',
    description:
      'Threads that died or took too long. One now and then is survived; a series is a promotion that costs too much.',
    unit: 'ops',
    redFrom: 0.001,
    queries: [rates('promo_evaluation_worker_restarts_total', 'pool')],
  },
];

const rules: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Age of the rule set',
    description:
      'Time since a process last knew that its rules are the newest. It grows while Postgres is away; carts are priced by the last known rules meanwhile.',
    unit: 's',
    redFrom: 30,
    queries: [query('max by (instance) (promo_rule_set_age_seconds{$s})', '{{instance}}')],
  },
  {
    kind: 'timeseries',
    title: 'Version of the rule set',
    description: 'Of the process and of its workers. All lines should meet within a second.',
    unit: 'none',
    queries: [
      query('max by (instance) (promo_rule_set_version{$s})', '{{instance}}'),
      query('min by (instance, pool) (promo_evaluation_rule_set_version{$s})', '{{instance}} {{pool}}'),
    ],
  },
  {
    kind: 'timeseries',
    title: 'Faults of rules',
    description:
      'Loads that failed, and promotion versions that could not be compiled (their last good version goes on).',
    unit: 'ops',
    redFrom: 0.001,
    queries: [
      totalRate('promo_rule_set_load_errors_total', 'load failed'),
      totalRate('promo_rule_set_faults_total', 'not compiled'),
    ],
  },
  {
    kind: 'timeseries',
    title: 'Changes the ledger does not have yet',
    description:
      'Promotions changed in Postgres and not yet delivered to Redis. Above 0 for minutes: claims go by the old definition.',
    unit: 'none',
    redFrom: 1,
    queries: [query('max(promo_definition_outbox_pending{$s})', 'pending')],
  },
];

/** How carts are priced, and by which rules. */
export const evaluation: Dashboard = {
  uid: 'hongbao-evaluation',
  title: 'Hongbao: evaluation',
  description: 'Evaluations, the worker threads that make them, and the rules they go by.',
  tags: ['evaluation'],
  rows: [
    { title: 'Evaluations', panels: decisions },
    { title: 'Rules', panels: rules },
  ],
};
