import { type Declare, withChildren } from './declarations.ts';

/** Which worker threads evaluated: those of ordinary carts or those of large ones. */
export type EvaluationPoolName = 'light' | 'heavy';

/** Seconds in and before a worker: microseconds when all is well, the time-out at the other end. */
const EVALUATION_SECONDS = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5,
];
/** Items in a batch. */
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** What is counted of the worker threads that evaluate. */
export function evaluationPoolMetrics(declare: Declare) {
  type Labels = readonly [EvaluationPoolName];
  const labels = ['pool'];
  return {
    evaluationBatchItems: withChildren(
      declare.histograms<Labels>(
        'promo_evaluation_batch_items',
        'Requests in one batch to a worker.',
        labels,
        BATCH_SIZES,
      ),
      ['light', 'heavy'],
    ),
    evaluationQueueSeconds: withChildren(
      declare.histograms<Labels>(
        'promo_evaluation_queue_seconds',
        'Time a request waits for a worker.',
        labels,
        EVALUATION_SECONDS,
      ),
      ['light', 'heavy'],
    ),
    evaluationSeconds: withChildren(
      declare.histograms<Labels>(
        'promo_evaluation_seconds',
        'Time a worker takes for one request, decoding and encoding included.',
        labels,
        EVALUATION_SECONDS,
      ),
      ['light', 'heavy'],
    ),
    evaluationWaiting: declare.gauges<Labels>(
      'promo_evaluation_waiting',
      'Requests waiting for a worker.',
      labels,
    ),
    evaluationWorkerRestarts: withChildren(
      declare.counters<Labels>(
        'promo_evaluation_worker_restarts_total',
        'Worker threads that died or were ended because they took too long.',
        labels,
      ),
      ['light', 'heavy'],
    ),
    evaluationRuleSetVersion: declare.gauges<Labels>(
      'promo_evaluation_rule_set_version',
      'Version of the rule set the workers decide by; the oldest of them.',
      labels,
    ),
  };
}
