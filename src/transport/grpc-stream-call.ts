/** One stream in both directions on the gRPC server; reading and writing stop when the other side does not keep up. */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Refusal } from '../domain/refusal.ts';
import { deadlineOf, headerOf } from './grpc-unary-call.ts';
import type { Call, Caller } from './invoke.ts';
import { languageOf } from './refusal-messages.ts';
import { wireRefusalOf } from './wire-refusal.ts';

/** Connects a duplex stream of grpc-js to a call. */
export class GrpcStreamCall implements Caller {
  readonly authorization: string | undefined;
  readonly actAs: string | undefined;
  readonly requestedDeadlineMs: number;
  readonly #stream: ServerDuplexStream<Uint8Array, Uint8Array>;
  /** Writers that wait until the caller can take more. */
  #waiting: (() => void)[] = [];

  constructor(stream: ServerDuplexStream<Uint8Array, Uint8Array>) {
    this.#stream = stream;
    this.authorization = headerOf(stream.metadata, 'authorization');
    this.actAs = headerOf(stream.metadata, 'x-hongbao-identity');
    this.requestedDeadlineMs = deadlineOf(stream);
  }

  admitted(call: Call): void {
    this.#stream.once('cancelled', () => call.abandon());
    this.#stream.on('drain', () => this.#goOn());
    this.#stream.once('close', () => this.#goOn());
    call.runStream(this.#messages(), (message) => this.#write(message));
  }

  /** The messages of the caller. Not the stream's own iterator, which would destroy the stream when the handler stops early. */
  #messages(): AsyncIterable<Uint8Array> {
    return { [Symbol.asyncIterator]: () => this.#stream.iterator({ destroyOnReturn: false }) };
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
