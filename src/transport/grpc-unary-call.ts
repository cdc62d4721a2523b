/**
 * One unary call on the gRPC server, below the handler layer of grpc-js. A server interceptor may answer a call itself, and
 * this one does: it spares the stream object, the event emitter and the extra write that grpc-js spends on every unary call,
 * and lets response and trailers leave together. That pays for everything our own path adds.
 */
import { type Metadata, ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { Identity } from '../domain/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Span } from '../telemetry/tracing/span.ts';
import type { Call, Caller, Invoker } from './invoke.ts';
import type { Method } from './method.ts';
import type { PeersByAddress } from './peers-by-address.ts';
import { languageOf } from './refusal-messages.ts';
import { codeNumber } from './status-code.ts';
import { FixedMetadata, wireRefusalOf } from './wire-refusal.ts';

const NO_METADATA = new FixedMetadata({});
const OK_STATUS = { code: codeNumber('OK'), details: 'OK', metadata: NO_METADATA };
const NO_MESSAGE = new Refusal('INVALID_REQUEST', 'The call carries no message');
const TWO_MESSAGES = new Refusal('INVALID_REQUEST', 'The call carries more than one message');

const nothing = (): void => {};

/** The text of a header, or undefined; the first one when it is repeated. */
export function headerOf(metadata: Metadata, name: string): string | undefined {
  const value = metadata.get(name)[0];
  return typeof value === 'string' ? value : undefined;
}

/** The deadline of a gRPC call in local epoch milliseconds; `Infinity` when it states none. */
export function deadlineOf(call: Pick<ServerInterceptingCallInterface, 'getDeadline'>): number {
  return Number(call.getDeadline());
}

/** Takes a unary call over: reads headers, message and end of the request, then writes the answer. */
export class GrpcUnaryCall extends ServerInterceptingCall implements Caller {
  authorization: string | undefined;
  actAs: string | undefined;
  peer: Identity | undefined;
  requestedDeadlineMs = Infinity;
  readonly rpcSystem = 'grpc';
  span: Span | undefined;
  readonly #base: ServerInterceptingCallInterface;
  readonly #invoker: Invoker;
  readonly #method: Method;
  readonly #peers: PeersByAddress;
  #metadata: Metadata = NO_METADATA;
  #call: Call | undefined;
  #request: Uint8Array | undefined;

  constructor(
    base: ServerInterceptingCallInterface,
    invoker: Invoker,
    method: Method,
    peers: PeersByAddress,
  ) {
    super(base);
    this.#base = base;
    this.#invoker = invoker;
    this.#method = method;
    this.#peers = peers;
  }

  /** Listens itself; the listener of grpc-js's own handler never hears of the call. */
  override start(): void {
    this.#base.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#metadata = metadata;
    this.authorization = headerOf(metadata, 'authorization');
    this.actAs = headerOf(metadata, 'x-hongbao-identity');
    this.peer = this.#peers.find(this.#base);
    this.requestedDeadlineMs = deadlineOf(this.#base);
    this.#invoker.begin(this.#method, this);
  }

  get traceParent(): string | undefined {
    return headerOf(this.#metadata, 'traceparent');
  }

  admitted(call: Call): void {
    this.#call = call;
    this.#base.startRead();
  }

  onReceiveMessage(message: Uint8Array): void {
    if (this.#request !== undefined) {
      this.#call?.end(TWO_MESSAGES);
      return;
    }
    this.#request = message;
    this.#base.startRead();
  }

  onReceiveHalfClose(): void {
    if (this.#request === undefined) this.#call?.end(NO_MESSAGE);
    else this.#call?.run(this.#request);
  }

  /** Also called by grpc-js after an answer, when the call has ended long since. */
  onCancel(): void {
    this.#call?.abandon();
  }

  answered(response: Uint8Array): void {
    this.#base.sendMetadata(NO_METADATA);
    this.#base.sendMessage(response, nothing);
    this.#base.sendStatus(OK_STATUS);
  }

  refused(refusal: Refusal): void {
    const language = languageOf(headerOf(this.#metadata, 'accept-language'));
    this.#base.sendStatus(wireRefusalOf(refusal, language).grpcStatus);
  }
}
