/**
 * Ended spans on their way to the collector: a bounded queue and one request at a time. A collector that is slow or away costs spans, which
 * are counted, and nothing else.
 */
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import { LOG_EVENTS, type Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { EXPORT_INTERVAL_MS, SPANS_PER_EXPORT } from './limits.ts';

/** What the queue needs. */
export interface SpanQueuePorts {
  readonly exporter: Pick<SpanExporter, 'export'>;
  /** Ended spans that may wait; more are dropped. */
  readonly limit: number;
  readonly metrics: Pick<Metrics, 'traceSpans'>;
  readonly logger: Logger;
}

/** Takes spans as they end; see the module's comment. */
export class SpanQueue implements SpanProcessor {
  private readonly ports: SpanQueuePorts;
  private waiting: ReadableSpan[] = [];
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;
  private isFailing = false;
  private isStopped = false;

  constructor(ports: SpanQueuePorts) {
    this.ports = ports;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.isStopped || this.waiting.length >= this.ports.limit) {
      this.count('dropped', 1);
      return;
    }
    this.waiting.push(span);
    if (this.waiting.length >= SPANS_PER_EXPORT) this.wake(0);
    else this.wake(EXPORT_INTERVAL_MS);
  }

  /** Kept when nothing waits any more, sent or not. */
  async forceFlush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    while (this.sending !== undefined || this.waiting.length > 0) {
      this.send();
      await this.sending;
    }
  }

  /** Drops what still waits. Does not wait for a request under way, as the exporter's own end would: it has a time of its own. */
  async shutdown(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.count('dropped', this.waiting.length);
    this.waiting = [];
  }

  /** Sends after so many ms, or when the request under way has its answer. */
  private wake(afterMs: number): void {
    if (this.sending !== undefined) return;
    if (this.timer !== undefined && afterMs > 0) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.send();
    }, afterMs);
    this.timer.unref();
  }

  private send(): void {
    if (this.sending !== undefined || this.waiting.length === 0) return;
    const spans = this.waiting.splice(0, SPANS_PER_EXPORT);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.sending = promise;
    this.ports.exporter.export(spans, ({ code, error }) => {
      this.sending = undefined;
      this.note(spans.length, code === 0 ? undefined : (error ?? new Error('no reason given')));
      resolve();
      if (this.waiting.length > 0)
        this.wake(this.waiting.length >= SPANS_PER_EXPORT ? 1 : EXPORT_INTERVAL_MS);
    });
  }

  /** Logs when sending begins to fail and when it works again, not every attempt. */
  private note(spans: number, error: Error | undefined): void {
    this.count(error === undefined ? 'sent' : 'failed', spans);
    const isFailing = error !== undefined;
    if (isFailing === this.isFailing) return;
    this.isFailing = isFailing;
    const line = { event: LOG_EVENTS.tracesUnsent, ...(error && { cause: error.message }) };
    if (isFailing) this.ports.logger.warn(line, 'traces cannot be sent; calls are not touched by it');
    else this.ports.logger.info(line, 'traces are sent again');
  }

  private count(outcome: 'sent' | 'failed' | 'dropped', spans: number): void {
    this.ports.metrics.traceSpans.child(outcome).value += spans;
  }
}
