/** The span of a call, as the conventions of OpenTelemetry name its facts. Who called, and for whom, is not among them. */
import type { DescMethod } from '@bufbuild/protobuf';
import type { Span, SpanStart } from '../telemetry/tracing/span.ts';
import { CODE_NAMES } from './status-code.ts';

/** The protocols a call comes by, by their names in traces. */
export type RpcSystem = 'grpc' | 'connect_rpc';

/** How spans of a method begin; made once, since a call that is not recorded must not cost an object. */
export type CallStarts = Readonly<Record<RpcSystem, SpanStart>>;

/** What makes a call a fault of the service; other refusals are answers. */
const FAULTS: ReadonlySet<string> = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/** How spans of a method begin. */
export function callStarts(method: DescMethod): CallStarts {
  return { grpc: startOf(method, 'grpc'), connect_rpc: startOf(method, 'connect_rpc') };
}

function startOf({ parent, name }: DescMethod, system: RpcSystem): SpanStart {
  return {
    name: `${parent.typeName}/${name}`,
    kind: 'server',
    attributes: { 'rpc.system': system, 'rpc.service': parent.typeName, 'rpc.method': name },
  };
}

/** Ends the span of a call. @param code number of the canonical code @param reason why it was refused */
export function endCallSpan(span: Span, system: RpcSystem, code: number, reason: string | undefined): void {
  const name = CODE_NAMES[code] ?? 'UNKNOWN';
  span.set('rpc.response.status_code', name);
  if (system === 'grpc') span.set('rpc.grpc.status_code', code);
  else if (code !== 0) span.set('rpc.connect_rpc.error_code', name.toLowerCase());
  if (reason !== undefined) span.set('hongbao.refusal.reason', reason);
  if (FAULTS.has(name)) span.fail(name);
  span.end();
}
