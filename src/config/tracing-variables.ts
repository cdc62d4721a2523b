/**
 * The environment variables of traces; a section of `variables.ts`. Where OpenTelemetry has a name for a setting it is that one, because
 * platforms set it; `HONGBAO_TRACING_*` are ours.
 */
import { choice, integer, optionalUrl, ratio, requestHeaders, text } from './variable.ts';

/** Where traces go, and how much of what happens is recorded. */
export const TRACING_VARIABLES = {
  endpoint: optionalUrl(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    /^https?$/,
    'Base address of an OpenTelemetry collector such as `http://collector:4318`; spans go to `/v1/traces` below it. No traces when not set.',
  ),
  protocol: choice(
    'OTEL_EXPORTER_OTLP_PROTOCOL',
    ['http/protobuf'],
    'http/protobuf',
    'How spans are sent: OTLP over HTTP, which collectors take on port 4318 (4317 is gRPC).',
  ),
  headers: requestHeaders(
    'OTEL_EXPORTER_OTLP_HEADERS',
    'Headers of the requests to the collector, as `name=value` separated by commas, values percent-encoded; for a token, say.',
  ),
  serviceName: text('OTEL_SERVICE_NAME', 'hongbao', 'What the service is called in traces.'),
  sampleRatio: ratio(
    'HONGBAO_TRACING_SAMPLE_RATIO',
    0.01,
    'Share of calls, jobs and batches of the archive that are recorded, from 0 to 1. Calls with a `traceparent` are recorded when their caller records them.',
  ),
  queueSpans: integer(
    'HONGBAO_TRACING_QUEUE_SPANS',
    4096,
    'Spans that may wait for the collector; more are dropped and counted.',
    { min: 128, max: 1_000_000 },
  ),
} as const;
