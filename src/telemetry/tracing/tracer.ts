/** Where traces begin. There is a tracer only in a process that was told where to send traces to. */
import type { Config } from '../../config/config.ts';
import type { Logger } from '../logger.ts';
import type { Build, Metrics } from '../metrics.ts';
import type { Span, SpanStart } from './span.ts';
import { recorded } from './traced-work.ts';

/** Begins traces and sends them. */
export interface Tracer {
  /**
   * Begins a piece of work that is no part of another one here. With a `traceparent` its caller decides whether it is recorded,
   * otherwise chance does. Undefined when it is not.
   */
  root(start: SpanStart, traceParent?: string): Span | undefined;
  /** Sends what is left, for so many ms at most, and ends. Spans of a process that goes on are dropped from then on. */
  stop(withinMs: number): Promise<void>;
}

/** What a tracer needs from its process. */
export interface TracerPorts {
  readonly build: Build;
  readonly metrics: Pick<Metrics, 'traceSpans'>;
  readonly logger: Logger;
}

/** A tracer where the settings say where to send traces to. Nothing of OpenTelemetry is loaded otherwise. */
export async function startTracing(
  settings: Config['tracing'],
  ports: TracerPorts,
): Promise<Tracer | undefined> {
  const { endpoint } = settings;
  if (endpoint === undefined) return undefined;
  const { openTelemetry } = await import('./open-telemetry.ts');
  return openTelemetry({ ...settings, endpoint }, ports);
}

/** Does work that nobody called for in a trace of its own, if chance wants it recorded. */
export function tracedRoot<Result>(
  tracer: Tracer | undefined,
  start: SpanStart,
  work: () => Promise<Result>,
): Promise<Result> {
  const span = tracer?.root(start);
  return span === undefined ? work() : recorded(span, work);
}
