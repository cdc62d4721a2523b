/**
 * One unary call of gRPC straight on a stream of node's HTTP/2, as https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 * describes it: a message framed by five bytes in, one out, a status in the trailers. grpc-js keeps the connections and serves everything
 * else; what it spends on a call (metadata, timers, promises, a queue) costs as much as all that our own path adds.
 */
import type { IncomingHttpHeaders, ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2';
import type { Identity } from '../domain/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Span } from '../telemetry/tracing/span.ts';
import { decompress } from './grpc-compression.ts';
import { frameOf, type MessageFault, MessageReader } from './grpc-frames.ts';
import { type Call, type Caller, type Invoker, tooLarge } from './invoke.ts';
import type { Method } from './method.ts';
import type { PeersByAddress } from './peers-by-address.ts';
import { languageOf } from './refusal-messages.ts';
import { wireRefusalOf } from './wire-refusal.ts';

const RESPONSE_HEADERS = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': 'identity,deflate,gzip',
};
const OK_TRAILERS = { 'grpc-status': '0' };
const WITH_TRAILERS: ServerStreamResponseOptions = { waitForTrailers: true };
const ONLY_TRAILERS: ServerStreamResponseOptions = { endStream: true };

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

const BAD_TIMEOUT = new Refusal(
  'INVALID_REQUEST',
  'grpc-timeout is not one to eight digits and a unit of H, M, S, m, u, n',
);
const FAULTS: Readonly<Record<Exclude<MessageFault, 'excess'>, Refusal>> = {
  none: new Refusal('INVALID_REQUEST', 'The call carries no message'),
  two: new Refusal('INVALID_REQUEST', 'The call carries more than one message'),
  kind: new Refusal('INVALID_REQUEST', 'The message is neither plain nor compressed, says its frame'),
  cut: new Refusal('INVALID_REQUEST', 'The message is not as long as its length says'),
};

const nothing = (): void => {};

/** The text of a header; undefined when it is absent. node joins repeated ones. */
function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Milliseconds of a `grpc-timeout`; `Infinity` without one, NaN when it cannot be read. */
function timeoutMsOf(text: string | undefined): number {
  if (text === undefined) return Infinity;
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  return Number(digits) * (MS_PER_UNIT[unit] ?? Number.NaN);
}

/** Takes a stream over: reads its message, then writes the answer. */
export class GrpcUnaryCall implements Caller {
  readonly authorization: string | undefined;
  readonly actAs: string | undefined;
  readonly peer: Identity | undefined;
  readonly requestedDeadlineMs: number;
  readonly rpcSystem = 'grpc';
  span: Span | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #method: Method;
  readonly #isTimeoutReadable: boolean;
  readonly #reader: MessageReader;
  #call: Call | undefined;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    method: Method,
    nowMs: number,
    peers: PeersByAddress,
  ) {
    const timeoutMs = timeoutMsOf(textOf(headers['grpc-timeout']));
    this.#stream = stream;
    this.#headers = headers;
    this.#method = method;
    this.#reader = new MessageReader(method.maxBytes);
    this.#isTimeoutReadable = !Number.isNaN(timeoutMs);
    this.requestedDeadlineMs = this.#isTimeoutReadable ? nowMs + timeoutMs : Infinity;
    this.authorization = headers.authorization;
    this.actAs = textOf(headers['x-hongbao-identity']);
    this.peer = peers.find(this);
  }

  /** Takes the stream through the one path of all calls. */
  begin(invoker: Invoker): void {
    // A stream that breaks also closes, which is listened to; without a listener the error would end the process.
    this.#stream.on('error', nothing);
    invoker.begin(this.#method, this);
  }

  get traceParent(): string | undefined {
    return textOf(this.#headers['traceparent']);
  }

  /** The address at the other end. */
  getPeer(): string {
    const { remoteAddress, remotePort } = this.#stream.session?.socket ?? {};
    return `${remoteAddress}:${remotePort}`;
  }

  admitted(call: Call): void {
    if (this.#stream.closed) {
      call.abandon();
      return;
    }
    if (!this.#isTimeoutReadable) {
      call.end(BAD_TIMEOUT);
      return;
    }
    this.#call = call;
    this.#stream.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#stream.on('end', () => this.#run(call));
    // Emitted after the answer too; then the call has ended and this does nothing.
    this.#stream.on('close', () => call.abandon());
  }

  #take(chunk: Buffer): void {
    const fault = this.#reader.take(chunk);
    if (fault !== undefined) this.#call?.end(this.#refusalOf(fault));
  }

  #run(call: Call): void {
    const message = this.#reader.end();
    if (typeof message === 'string') call.end(this.#refusalOf(message));
    else if (this.#reader.isCompressed) this.#runCompressed(message, call);
    else call.run(message);
  }

  #refusalOf(fault: MessageFault): Refusal {
    if (fault !== 'excess') return FAULTS[fault];
    return tooLarge(this.#reader.declaredBytes ?? 0, this.#method.maxBytes);
  }

  #runCompressed(message: Buffer, call: Call): void {
    decompress(message, textOf(this.#headers['grpc-encoding']), this.#method.maxBytes).then(
      (whole) => call.run(whole),
      (refusal: Refusal) => call.end(refusal),
    );
  }

  answered(response: Uint8Array): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    stream.on('wantTrailers', sendOkTrailers);
    stream.respond(RESPONSE_HEADERS, WITH_TRAILERS);
    stream.end(frameOf(response));
  }

  refused(refusal: Refusal): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    const language = languageOf(textOf(this.#headers['accept-language']));
    stream.respond({ ...RESPONSE_HEADERS, ...wireRefusalOf(refusal, language).grpcTrailers }, ONLY_TRAILERS);
    // What still comes is dropped: unread it would use up the window of all other calls on the connection.
    stream.resume();
  }
}

function sendOkTrailers(this: ServerHttp2Stream): void {
  this.sendTrailers(OK_TRAILERS);
}
