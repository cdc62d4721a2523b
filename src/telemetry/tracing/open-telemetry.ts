/**
 * Spans by OpenTelemetry. The only module that knows it, loaded only where traces are sent. Whether something is recorded is decided
 * before anything is made, so what is not recorded costs a look at a header and a random number.
 */
import { hostname } from 'node:os';
import {
  type Context,
  type Tracer as OpenTelemetryTracer,
  type Span as RecordingSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import type { Config } from '../../config/config.ts';
import { EXPORT_TIMEOUT_MS, LINKS_PER_SPAN, SPANS_PER_TRACE } from './limits.ts';
import type { Span, SpanStart } from './span.ts';
import { SpanQueue } from './span-queue.ts';
import { parseTraceParent, type TraceParent } from './trace-parent.ts';
import type { Tracer, TracerPorts } from './tracer.ts';

/** Settings of a process that sends traces. */
export type SendingSettings = Omit<Config['tracing'], 'endpoint'> & { readonly endpoint: string };

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;
const TRACES_PATH = 'v1/traces';

/** What is left of the spans a trace may have here. */
interface Allowance {
  left: number;
  omitted: number;
}

class OpenTelemetrySpan implements Span {
  readonly traceId: string;
  readonly spanId: string;
  private readonly tracer: OpenTelemetryTracer;
  private readonly span: RecordingSpan;
  private readonly allowance: Allowance;
  private readonly isRoot: boolean;
  private isEnded = false;

  constructor(tracer: OpenTelemetryTracer, span: RecordingSpan, allowance: Allowance, isRoot: boolean) {
    const { traceId, spanId } = span.spanContext();
    this.traceId = traceId;
    this.spanId = spanId;
    this.tracer = tracer;
    this.span = span;
    this.allowance = allowance;
    this.isRoot = isRoot;
  }

  child(start: SpanStart): Span | undefined {
    if (this.allowance.left === 0) {
      this.allowance.omitted += 1;
      return undefined;
    }
    this.allowance.left -= 1;
    const span = begin(this.tracer, start, trace.setSpan(ROOT_CONTEXT, this.span));
    return new OpenTelemetrySpan(this.tracer, span, this.allowance, false);
  }

  link({ traceId, spanId }: Span): void {
    if (!this.isEnded) this.span.addLink({ context: { traceId, spanId, traceFlags: TraceFlags.SAMPLED } });
  }

  rename(name: string): void {
    if (!this.isEnded) this.span.updateName(name);
  }

  set(name: string, value: string | number | boolean): void {
    if (!this.isEnded) this.span.setAttribute(name, value);
  }

  fail(errorType: string): void {
    this.set('error.type', errorType);
    if (!this.isEnded) this.span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(): void {
    if (this.isEnded) return;
    if (this.isRoot && this.allowance.omitted > 0) this.set('hongbao.omitted_spans', this.allowance.omitted);
    this.isEnded = true;
    this.span.end();
  }
}

function begin(tracer: OpenTelemetryTracer, start: SpanStart, context: Context): RecordingSpan {
  return tracer.startSpan(start.name, { kind: KINDS[start.kind], attributes: start.attributes }, context);
}

function contextOf(parent: TraceParent | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  const { traceId, spanId } = parent;
  const remote = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, remote);
}

/** A tracer that sends to a collector by OTLP over HTTP. @param random numbers from 0 below 1, for tests */
export function openTelemetry(
  settings: SendingSettings,
  { build, metrics, logger }: TracerPorts,
  random: () => number = Math.random,
): Tracer {
  const { endpoint, headers, serviceName, sampleRatio, queueSpans: limit } = settings;
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/${TRACES_PATH}`,
    headers: { ...headers },
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const queue = new SpanQueue({ exporter, limit, metrics, logger });
  const provider = new TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes(describeProcess(serviceName, build))),
    spanLimits: { linkCountLimit: LINKS_PER_SPAN },
    spanProcessors: [queue],
  });
  const tracer = provider.getTracer('hongbao', build.version);
  return {
    root(start, traceParent) {
      const parent = parseTraceParent(traceParent);
      const isRecorded = parent === undefined ? random() < sampleRatio : parent.isSampled;
      if (!isRecorded) return undefined;
      const span = begin(tracer, start, contextOf(parent));
      return new OpenTelemetrySpan(tracer, span, { left: SPANS_PER_TRACE, omitted: 0 }, true);
    },
    stop: (withinMs) => stopWithin(queue, withinMs),
  };
}

function describeProcess(serviceName: string, { version, role }: TracerPorts['build']) {
  return {
    'service.name': serviceName,
    'service.version': version,
    'service.instance.id': `${hostname()}:${process.pid}`,
    'hongbao.role': role ?? '',
  };
}

async function stopWithin(queue: SpanQueue, withinMs: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, withinMs);
  await Promise.race([queue.forceFlush(), late]);
  clearTimeout(timer);
  await queue.shutdown();
}
