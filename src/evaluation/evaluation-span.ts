import type { EvaluationPoolName } from '../telemetry/evaluation-pool-metrics.ts';
import type { SpanStart } from '../telemetry/tracing/span.ts';

/** The span of a task of worker threads, from its start on the main thread to its result there. @param size carts in it */
export function taskStart(pool: EvaluationPoolName | 'replay', size: number): SpanStart {
  return {
    name: 'evaluate',
    kind: 'internal',
    attributes: { 'hongbao.evaluation.pool': pool, 'hongbao.evaluation.batch_size': size },
  };
}
