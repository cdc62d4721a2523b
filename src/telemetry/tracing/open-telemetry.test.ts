import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Collector, type SeenSpan, startCollector } from '../../../test/tracing/collector.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { SPANS_PER_TRACE } from './limits.ts';
import { openTelemetry } from './open-telemetry.ts';

const START = { name: 'work', kind: 'internal', attributes: { size: 1 } } as const;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

let collector: Collector;

beforeAll(async () => {
  collector = await startCollector();
});
afterAll(() => collector.close());

function tracerTo(
  endpoint: string,
  { sampleRatio = 1, random = () => 0.5 }: { sampleRatio?: number; random?: () => number } = {},
) {
  const build = { version: '1.2.3', node: '26', role: 'serve' } as const;
  const metrics = createMetrics(build);
  const logger = createLogger({ level: 'silent', role: 'test' });
  const settings = {
    endpoint,
    protocol: 'http/protobuf',
    headers: { 'x-token': 'secret' },
    serviceName: 'hongbao',
    sampleRatio,
    queueSpans: 10_000,
  } as const;
  return { tracer: openTelemetry(settings, { build, metrics, logger }, random), metrics };
}

const ofTrace = (traceId = ''): SeenSpan[] => collector.spans.filter((span) => span.traceId === traceId);

describe('what is recorded', () => {
  // SPEC C8
  test('chance decides where no caller does', () => {
    const recorded = [0.009, 0.01, 0.5].map((drawn) => {
      const { tracer } = tracerTo(collector.url, { sampleRatio: 0.01, random: () => drawn });
      return tracer.root(START) !== undefined;
    });
    expect(recorded).toEqual([true, false, false]);
  });

  test('a caller decides about its own trace, and one that says nonsense about none', () => {
    const { tracer } = tracerTo(collector.url, { sampleRatio: 0.01 });
    const root = (flags: string) => tracer.root(START, `00-${TRACE}-00f067aa0ba902b7-${flags}`);
    expect(root('01')?.traceId).toBe(TRACE);
    expect(root('00')).toBeUndefined();
    expect(tracer.root(START, 'nonsense')).toBeUndefined();
  });

  test('a trace has so many spans and no more, and says how many it has not', async () => {
    const { tracer } = tracerTo(collector.url);
    const root = tracer.root(START);
    const parts = Array.from({ length: SPANS_PER_TRACE + 3 }, () => root?.child(START));
    for (const part of parts) part?.end();
    root?.end();
    await tracer.stop(5_000);
    const spans = ofTrace(root?.traceId);
    expect(spans).toHaveLength(SPANS_PER_TRACE + 1);
    expect(spans.find(({ parentId }) => parentId === '')?.attributes['hongbao.omitted_spans']).toBe('3');
  });
});

test('a span tells its facts, its links and that it failed; what is said after its end is ignored', async () => {
  const { tracer } = tracerTo(`${collector.url}/`);
  const [one, other] = [tracer.root(START), tracer.root(START)];
  if (one === undefined || other === undefined) throw new Error('not recorded');
  one.rename('done');
  one.set('rows', 2);
  one.link(other);
  one.fail('SOLD_OUT');
  one.end();
  one.set('late', true);
  one.link(other);
  one.end();
  await tracer.stop(5_000);
  expect(ofTrace(one.traceId)).toEqual([
    {
      service: 'serve',
      traceId: one.traceId,
      spanId: one.spanId,
      parentId: '',
      name: 'done',
      kind: 1,
      attributes: { size: '1', rows: '2', 'error.type': 'SOLD_OUT' },
      links: [{ traceId: other.traceId, spanId: other.spanId }],
      isError: true,
    },
  ]);
});

test('the end does not wait for a collector that does not answer', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const { tracer, metrics } = tracerTo(`http://127.0.0.1:${port}`);
  for (let span = 0; span < 300; span += 1) tracer.root(START)?.end();
  await vi.waitFor(() => expect(metrics.traceSpans.child('dropped').value).toBe(0));
  await tracer.stop(20);
  expect(metrics.traceSpans.child('sent').value).toBe(0);
  expect(metrics.traceSpans.child('dropped').value).toBeGreaterThan(0);
  silent.closeAllConnections();
  silent.close();
});
