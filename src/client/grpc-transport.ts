/** gRPC on grpc-js: Node services. Every address gets its share of the calls. */
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { StreamResponse, UnaryResponse } from '@connectrpc/connect';
import {
  type CallOptions,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  type Metadata,
} from '@grpc/grpc-js';
import type { CallHeaders } from './call-headers.ts';
import type { ClosableTransport } from './client.ts';
import { type GrpcTls, grpcCredentials, tlsOptions } from './grpc-credentials.ts';
import { connectErrorOf, copyMetadata, metadataOf } from './grpc-metadata.ts';
import { type GrpcAddress, grpcTarget } from './grpc-target.ts';
import {
  KEEPALIVE_MS,
  KEEPALIVE_TIMEOUT_MS,
  MESSAGES_PER_TURN,
  RECONNECT_MS,
  RESOLVE_AGAIN_MS,
} from './limits.ts';

/** Where the service is, and how to get there. */
export interface GrpcOptions {
  readonly address: GrpcAddress;
  /** `true`: TLS with the authorities this machine trusts. Absent: plain text. */
  readonly tls?: boolean | GrpcTls;
  /** More options of grpc-js; they go before ours. */
  readonly channelOptions?: ChannelOptions;
}

/** All methods of the contract, streams included. */
export function grpcTransport({ address, tls = false, channelOptions = {} }: GrpcOptions): ClosableTransport {
  const client = new Client(grpcTarget(address), grpcCredentials(tls), {
    ...defaultOptions(),
    ...tlsOptions(tls),
    ...channelOptions,
  });
  return new GrpcTransport(client);
}

function defaultOptions(): ChannelOptions {
  return {
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    // Otherwise each look-up of the name also asks DNS for settings, which nobody publishes.
    'grpc.service_config_disable_resolution': 1,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.dns_min_time_between_resolutions_ms': RESOLVE_AGAIN_MS,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_MS.first,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MS.longest,
  };
}

class GrpcTransport implements ClosableTransport {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  close(): void {
    this.#client.close();
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    headers: CallHeaders,
    input: MessageInitShape<I>,
  ): Promise<UnaryResponse<I, O>> {
    const { promise, resolve, reject } = Promise.withResolvers<UnaryResponse<I, O>>();
    const [header, trailer] = [new Headers(), new Headers()];
    const call = this.#client.makeUnaryRequest(
      pathOf(method),
      serializer(method.input),
      parser(method.output),
      create(method.input, input),
      metadataOf(headers),
      deadlineIn(timeoutMs),
      (error, message) => {
        if (error !== null) reject(connectErrorOf(error));
        else if (message !== undefined)
          resolve({ stream: false, service: method.parent, method, header, trailer, message });
      },
    );
    noteMetadata(call, header, trailer);
    const stopListening = cancelOn(signal, call);
    return promise.finally(stopListening);
  }

  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    headers: CallHeaders,
    input: AsyncIterable<MessageInitShape<I>>,
  ): Promise<StreamResponse<I, O>> {
    const [header, trailer] = [new Headers(), new Headers()];
    // On the wire every kind of stream is one in both directions.
    const call = this.#client.makeBidiStreamRequest(
      pathOf(method),
      serializer(method.input),
      parser(method.output),
      metadataOf(headers),
      deadlineIn(timeoutMs),
    );
    noteMetadata(call, header, trailer);
    const over = new AbortController();
    const stopListening = cancelOn(signal, call);
    call.on('status', () => over.abort());
    over.signal.addEventListener('abort', stopListening);
    // What ends the call is thrown to whoever reads; only input that fails ends it from here.
    send(call, method.input, input, over.signal).catch(() => call.cancel());
    const message = received(call, over);
    return { stream: true, service: method.parent, method, header, trailer, message };
  }
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function serializer<D extends DescMessage>(schema: D): (message: MessageShape<D>) => Buffer {
  return (message) => {
    const bytes = toBinary(schema, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function parser<D extends DescMessage>(schema: D): (bytes: Buffer) => MessageShape<D> {
  return (bytes) => fromBinary(schema, bytes);
}

function deadlineIn(timeoutMs: number | undefined): CallOptions {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

interface Cancellable {
  cancel(): void;
}

/** Cancels the call when the caller gives up. Gives what ends the listening. */
function cancelOn(signal: AbortSignal | undefined, call: Cancellable): () => void {
  const cancel = (): void => call.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted === true) cancel();
  return () => signal?.removeEventListener('abort', cancel);
}

interface WithMetadata {
  on(event: 'metadata', listener: (metadata: Metadata) => void): unknown;
  on(event: 'status', listener: (status: { metadata: Metadata }) => void): unknown;
}

function noteMetadata(call: WithMetadata, header: Headers, trailer: Headers): void {
  call.on('metadata', (metadata) => copyMetadata(metadata, header));
  call.on('status', ({ metadata }) => copyMetadata(metadata, trailer));
}

/** Writes as fast as the service takes, until the call is over. */
async function send<I extends DescMessage>(
  call: ClientDuplexStream<MessageShape<I>, unknown>,
  schema: I,
  input: AsyncIterable<MessageInitShape<I>>,
  over: AbortSignal,
): Promise<void> {
  let sent = 0;
  for await (const message of input) {
    if (over.aborted) return;
    const isTaken = call.write(create(schema, message));
    if (!isTaken) await once(call, 'drain', { signal: over });
    sent += 1;
    if (sent % MESSAGES_PER_TURN === 0) await nextTurn();
  }
  call.end();
}

async function* received<Sent, T>(
  call: ClientDuplexStream<Sent, T>,
  over: AbortController,
): AsyncGenerator<T> {
  try {
    yield* call;
  } catch (error) {
    throw connectErrorOf(error);
  } finally {
    // Whoever stops reading wants no more of it.
    over.abort();
    call.cancel();
  }
}
