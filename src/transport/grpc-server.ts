/** The gRPC port: connections, streams, health and reflection on grpc-js, unary calls straight on its HTTP/2. */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import {
  type ConnectionInjector,
  type handleBidiStreamingCall,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerOptions,
} from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import type { Config } from '../config/config.ts';
import { file_google_rpc_error_details } from '../gen/google/rpc/error_details_pb.ts';
import { file_google_rpc_status } from '../gen/google/rpc/status_pb.ts';
import { file_grpc_health_v1_health } from '../gen/grpc/health/v1/health_pb.ts';
import { EndlessCall, GrpcStreamCall, type Leaving } from './grpc-stream-call.ts';
import { GrpcUnaryCall } from './grpc-unary-call.ts';
import { closeServer, listen } from './http-server.ts';
import type { Invoker } from './invoke.ts';
import type { Method } from './method.ts';
import { PeersByAddress } from './peers-by-address.ts';
import { noPeers, type Tls } from './tls.ts';
import { type TakeStream, takeStreams } from './unary-streams.ts';

/** Bytes beyond the largest message that are still read, so that its size can be refused with a reason. */
const SIZE_SLACK_BYTES = 65_536;

/** Settings of the gRPC server. */
export type GrpcServerConfig = Pick<Config, 'grpc' | 'connections' | 'limits'>;

const CONTENT_TYPE = 'application/grpc';

/** Name under which health reports whether calls are welcome, beside the process (`""`) and each service. */
export const READINESS = 'readiness';

/** The gRPC server of a process. */
export class GrpcServer {
  readonly #server: Server;
  readonly #config: GrpcServerConfig;
  readonly #health: HealthImplementation;
  readonly #healthNames: readonly string[];
  /** Connections are taken here and handed to grpc-js, so that their sockets are known when they have to be cut. */
  readonly #listener: NetServer;
  readonly #connections: ConnectionInjector;
  readonly #sockets = new Set<Socket>();
  /** The streams that are open. */
  readonly #streams = new Set<Leaving>();
  readonly #peers: PeersByAddress;

  constructor(
    config: GrpcServerConfig,
    services: readonly DescService[],
    methods: ReadonlyMap<string, Method>,
    invoker: Invoker,
    tls: Tls | undefined,
  ) {
    this.#config = config;
    this.#peers = new PeersByAddress(tls?.peerOf ?? noPeers);
    this.#listener = listenerOf(tls, (socket) => this.#take(socket));
    this.#listener.maxConnections = config.grpc.maxConnections;
    this.#healthNames = ['', READINESS, ...services.map((service) => service.typeName)];
    const unary = new Map([...methods].filter(([, { binding }]) => binding.kind !== 'stream'));
    const streaming = [...methods.values()].filter(({ binding }) => binding.kind === 'stream');
    this.#server = new Server(serverOptions(config, noteEndless(streaming, this.#streams)));
    this.#connections = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    takeStreams(this.#server, serveUnary(unary, invoker, this.#peers));
    for (const method of streaming) register(this.#server, method, invoker, this.#streams, this.#peers);
    this.#health = new HealthImplementation();
    this.#health.addToServer(this.#server);
    if (config.grpc.reflection) addReflection(this.#server, services);
    this.setServing(false);
  }

  /** Says in gRPC health whether calls are welcome; watchers hear it at once. */
  setServing(serving: boolean): void {
    for (const name of this.#healthNames) this.#health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  }

  /** Opens the port. Gives the port in use. */
  listen(): Promise<number> {
    return listen(this.#listener, this.#config.grpc);
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#peers.add(socket);
    this.#connections.injectConnection(socket);
  }

  /**
   * Sends GOAWAY on every connection, asks streams to end, and is kept when every connection is closed. What is left after the
   * grace time is cut.
   */
  async close(graceMs: number): Promise<void> {
    const closed = closeServer(this.#listener);
    for (const stream of this.#streams) stream.leave();
    this.#connections.drain(graceMs);
    // The sockets themselves: a session of HTTP/2 that was told to close waits for its peer, even when it is destroyed.
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }
}

/** Sockets as they come, or behind TLS, where both sides must have agreed on HTTP/2. */
function listenerOf(tls: Tls | undefined, take: (socket: Socket) => void): NetServer {
  if (tls === undefined) return createServer(take);
  const server = createTlsServer({ ...tls.serverOptions, ALPNProtocols: ['h2'] });
  tls.attach(server);
  server.on('secureConnection', (socket) => {
    if (!socket.destroyed) take(socket);
  });
  return server;
}

function serverOptions(
  { grpc, connections, limits }: GrpcServerConfig,
  interceptor: ServerInterceptor,
): ServerOptions {
  return {
    interceptors: [interceptor],
    'grpc.max_receive_message_length': limits.maxBatchMessageBytes + SIZE_SLACK_BYTES,
    'grpc.max_concurrent_streams': grpc.maxConcurrentStreams,
    'grpc.max_connection_age_ms': connections.maxAgeMs,
    'grpc.max_connection_age_grace_ms': connections.maxAgeGraceMs,
    'grpc.max_connection_idle_ms': connections.maxIdleMs,
    'grpc-node.max_session_memory': grpc.maxSessionMemoryMegabytes,
    'grpc.enable_channelz': 0,
  };
}

/** Serves the unary calls of our services. What does not say that it is gRPC is told so by grpc-js. */
function serveUnary(
  methods: ReadonlyMap<string, Method>,
  invoker: Invoker,
  peers: PeersByAddress,
): TakeStream {
  return (stream, headers) => {
    const method = methods.get(headers[':path'] ?? '');
    if (method === undefined || headers['content-type']?.startsWith(CONTENT_TYPE) !== true) return false;
    new GrpcUnaryCall(stream, headers, method, invoker.options.clock(), peers).begin(invoker);
    return true;
  };
}

/** Notes the streams of health and reflection; those of our own services note themselves. */
function noteEndless(own: readonly Method[], streams: Set<Leaving>): ServerInterceptor {
  const paths = new Set(own.map(({ path }) => path));
  return ({ path, responseStream }, base) =>
    responseStream && !paths.has(path) ? new EndlessCall(base, streams) : new ServerInterceptingCall(base);
}

/** Messages stay bytes on their way through grpc-js. */
const asIs = (message: Buffer): Buffer => message;
const asBuffer = (message: Uint8Array): Buffer =>
  message instanceof Buffer ? message : Buffer.from(message.buffer, message.byteOffset, message.byteLength);

function register(
  server: Server,
  method: Method,
  invoker: Invoker,
  streams: Set<Leaving>,
  peers: PeersByAddress,
): void {
  const handle: handleBidiStreamingCall<Uint8Array, Uint8Array> = (call) =>
    invoker.begin(method, new GrpcStreamCall(call, streams, peers));
  server.register(method.path, handle, asBuffer, asIs, 'bidi');
}

/** Reflection from our descriptors, the types of error details included, so that tools can show them. */
function addReflection(server: Server, services: readonly DescService[]): void {
  const files = new Map<string, DescFile>();
  const collect = (file: DescFile): void => {
    if (files.has(file.name)) return;
    files.set(file.name, file);
    file.dependencies.forEach(collect);
  };
  const roots = [file_google_rpc_error_details, file_google_rpc_status, file_grpc_health_v1_health];
  [...services.map((service) => service.file), ...roots].forEach(collect);
  const fileDescriptorProtos = [...files.values()].map((file) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)),
  );
  const names = [...services.map((service) => service.typeName), 'grpc.health.v1.Health'];
  // Only the descriptors are looked at; the rest of the shape is what the types ask for.
  const definition = {
    format: 'Protocol Buffer 3 EnumDescriptorProto' as const,
    type: {},
    fileDescriptorProtos,
  };
  new ReflectionService({ all: definition }, { services: names }).addToServer(server);
}
