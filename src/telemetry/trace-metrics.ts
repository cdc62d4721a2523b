/** What became of spans; only a process that sends traces counts any. */
import { type Declare, withChildren } from './declarations.ts';

/** The collector has them; it did not take them; there was no room for them. */
export type SpanOutcome = (typeof OUTCOMES)[number];

const OUTCOMES = ['sent', 'failed', 'dropped'] as const;

/** Declares it. */
export function traceMetrics(declare: Declare) {
  return {
    traceSpans: withChildren(
      declare.counters<readonly [SpanOutcome]>(
        'promo_trace_spans_total',
        'Spans of traces, by what became of them: sent, not taken by the collector, or dropped because too many waited.',
        ['outcome'],
      ),
      OUTCOMES,
    ),
  };
}
