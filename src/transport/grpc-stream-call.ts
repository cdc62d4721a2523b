/** Streams on the gRPC server; reading and writing stop when the other side does not keep up. */
import {
  type Metadata,
  type ServerDuplexStream,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
} from '@grpc/grpc-js';
import type { Identity } from '../domain/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Span } from '../telemetry/tracing/span.ts';
import type { Call, Caller } from './invoke.ts';
import type { PeersByAddress } from './peers-by-address.ts';
import { languageOf } from './refusal-messages.ts';
import { wireRefusalOf } from './wire-refusal.ts';

/** A stream that can be asked to end because the server stops. */
export interface Leaving {
  leave(): void;
}

const STOPPING = new Refusal('SHUTTING_DOWN', 'This server is stopping; go on with another one');
/** The text of a header, or undefined; the first one when it is repeated. */
function headerOf(metadata: Metadata, name: string): string | undefined {
  const value = metadata.get(name)[0];
  return typeof value === 'string' ? value : undefined;
}

const NO_MORE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Connects a duplex stream of grpc-js to a call. */
export class GrpcStreamCall implements Caller, Leaving {
  readonly authorization: string | undefined;
  readonly actAs: string | undefined;
  readonly peer: Identity | undefined;
  readonly requestedDeadlineMs: number;
  readonly rpcSystem = 'grpc';
  span: Span | undefined;
  readonly #stream: ServerDuplexStream<Uint8Array, Uint8Array>;
  #isLeaving = false;
  /** The caller was not heard to the end. */
  #isCut = false;
  /** Ends the wait for the caller's next message. */
  #stopListening = (): void => {};
  /** Writers that wait until the caller can take more. */
  #waiting: (() => void)[] = [];

  /** Is among `open` until the stream has ended. */
  constructor(stream: ServerDuplexStream<Uint8Array, Uint8Array>, open: Set<Leaving>, peers: PeersByAddress) {
    this.#stream = stream;
    this.authorization = headerOf(stream.metadata, 'authorization');
    this.actAs = headerOf(stream.metadata, 'x-hongbao-identity');
    this.peer = peers.find(stream);
    // Local epoch milliseconds; Infinity when it states none.
    this.requestedDeadlineMs = Number(stream.getDeadline());
    open.add(this);
    // Also emitted when the stream has ended well.
    stream.once('cancelled', () => open.delete(this));
  }

  get traceParent(): string | undefined {
    return headerOf(this.#stream.metadata, 'traceparent');
  }

  admitted(call: Call): void {
    this.#stream.once('cancelled', () => call.abandon());
    this.#stream.on('drain', () => this.#goOn());
    this.#stream.once('close', () => this.#goOn());
    const write = (message: Uint8Array) => this.#write(message);
    call.runStream(this.#messages(), write, () => (this.#isCut ? STOPPING : undefined));
  }

  /**
   * Hears the caller no further. What was taken is still answered; then the stream ends with SHUTTING_DOWN, unless the caller
   * had said everything. A writer that waits for its caller goes on once, so that it notices.
   */
  leave(): void {
    this.#isLeaving = true;
    this.#stopListening();
    this.#goOn();
  }

  /** The messages of the caller. Not the stream's own iterator, which would destroy the stream when the handler stops early. */
  #messages(): AsyncIterable<Uint8Array> {
    return { [Symbol.asyncIterator]: () => this.#iterator() };
  }

  #iterator(): AsyncIterator<Uint8Array> {
    const messages = this.#stream.iterator({ destroyOnReturn: false });
    const next = (): Promise<IteratorResult<Uint8Array>> =>
      new Promise((resolve, reject) => {
        this.#stopListening = () => {
          this.#isCut = true;
          resolve(NO_MORE);
        };
        if (this.#isLeaving) this.#stopListening();
        else messages.next().then(resolve, reject);
      });
    return {
      next: () =>
        next().finally(() => {
          this.#stopListening = () => {};
        }),
      return: async () => NO_MORE,
    };
  }

  #write(message: Uint8Array): Promise<void> {
    if (this.#stream.destroyed || this.#stream.write(message)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #goOn(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  answered(): void {
    this.#stream.end();
  }

  refused(refusal: Refusal): void {
    const language = languageOf(headerOf(this.#stream.metadata, 'accept-language'));
    const { code, details, metadata } = wireRefusalOf(refusal, language).grpcStatus;
    if (!this.#stream.destroyed) this.#stream.emit('error', { code, details, metadata });
  }
}

/** A stream of health or reflection, which ends when its caller wants or the server stops. */
export class EndlessCall extends ServerInterceptingCall implements Leaving {
  readonly #base: ServerInterceptingCallInterface;

  /** Is among `open` until the stream has ended. */
  constructor(base: ServerInterceptingCallInterface, open: Set<Leaving>) {
    super(base, {
      start: (next) =>
        next({
          onCancel: () => open.delete(this),
        }),
    });
    this.#base = base;
    open.add(this);
  }

  leave(): void {
    this.#base.sendStatus(wireRefusalOf(STOPPING, languageOf(undefined)).grpcStatus);
  }
}
