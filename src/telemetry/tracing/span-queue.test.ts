import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { SPANS_PER_EXPORT } from './limits.ts';
import { SpanQueue } from './span-queue.ts';

type Answer = Parameters<SpanExporter['export']>[1];
type Ended = Parameters<SpanQueue['onEnd']>[0];

const LIMIT = 2 * SPANS_PER_EXPORT;
let metrics: ReturnType<typeof createMetrics>;
let lines: string[];
/** Requests that have no answer yet. */
let requests: { readonly spans: number; readonly answer: Answer }[];
let queue: SpanQueue;

beforeEach(() => {
  metrics = createMetrics({ version: '1', node: '26' });
  lines = [];
  requests = [];
  const logger = createLogger(
    { level: 'info', role: 'test' },
    { write: (line) => void lines.push(JSON.parse(line).message) },
  );
  const exporter = {
    export: (spans: ReadableSpan[], answer: Answer) => void requests.push({ spans: spans.length, answer }),
  };
  queue = new SpanQueue({ exporter, limit: LIMIT, metrics, logger });
});

function end(spans: number): void {
  // Only the exporter looks into a span.
  for (let span = 0; span < spans; span += 1) queue.onEnd(Object.create(null) as Ended);
}

const counted = () =>
  Object.fromEntries(
    (['sent', 'failed', 'dropped'] as const).map((outcome) => [
      outcome,
      metrics.traceSpans.child(outcome).value,
    ]),
  );

const requested = async (count: number): Promise<void> =>
  await vi.waitFor(() => expect(requests.length).toBe(count), { timeout: 10_000, interval: 5 });

// SPEC C8
test('a collector that never answers costs what does not fit the queue, and gets one request at a time', async () => {
  end(SPANS_PER_EXPORT);
  await requested(1);
  end(LIMIT + 7);
  expect(counted()).toEqual({ sent: 0, failed: 0, dropped: 7 });
  expect(requests).toHaveLength(1);
  requests[0]?.answer({ code: 0 });
  await requested(2);
  expect(counted()).toEqual({ sent: SPANS_PER_EXPORT, failed: 0, dropped: 7 });
});

test('failing is counted, and logged when it begins and when it ends', async () => {
  const fail = { code: 1, error: new Error('connection refused') };
  for (const [index, answer] of [fail, fail, { code: 0 }].entries()) {
    end(SPANS_PER_EXPORT);
    await requested(index + 1);
    requests[index]?.answer(answer);
  }
  expect(counted()).toEqual({ sent: SPANS_PER_EXPORT, failed: 2 * SPANS_PER_EXPORT, dropped: 0 });
  expect(lines).toEqual(['traces cannot be sent; calls are not touched by it', 'traces are sent again']);
});

test('a flush sends everything, and what comes after the end is dropped', async () => {
  end(SPANS_PER_EXPORT + 1);
  const flushed = queue.forceFlush();
  await requested(1);
  requests[0]?.answer({ code: 0 });
  await requested(2);
  requests[1]?.answer({ code: 0 });
  await flushed;
  await queue.shutdown();
  end(3);
  expect(requests.map(({ spans }) => spans)).toEqual([SPANS_PER_EXPORT, 1]);
  expect(counted()).toEqual({ sent: SPANS_PER_EXPORT + 1, failed: 0, dropped: 3 });
});
