/**
 * The HTTP port: Connect, gRPC-Web and JSON. A connection is first served as one of plain calls alone; when anything else comes on it, by
 * node, with plain calls served directly and the rest by the Connect adapter.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { createContextValues } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import type { Config } from '../config/config.ts';
import { Refusal } from '../domain/refusal.ts';
import { addRoutes, PEER } from './connect-routes.ts';
import { applyCors } from './cors.ts';
import { HttpUnaryCall } from './http-unary-call.ts';
import type { Invoker } from './invoke.ts';
import type { Method } from './method.ts';
import { PlainConnections } from './plain-connections.ts';
import { MAX_HEAD_BYTES, type PlainHead, plainHeadOf } from './plain-head.ts';
import { languageOf } from './refusal-messages.ts';
import { capTimeouts } from './timeouts.ts';
import { noPeers, type PeerOf, type Tls } from './tls.ts';
import { wireRefusalOf } from './wire-refusal.ts';

/** Settings of the HTTP server. */
export type HttpServerConfig = Pick<Config, 'http' | 'limits'>;

/** Time a client has for its headers: it does not wait for us, so it needs little. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Above what load balancers keep idle connections for, so that they and not we close them. */
const KEEP_ALIVE_MS = 75_000;
const MS_PER_SECOND = 1_000;

const NO_SUCH_METHOD = new Refusal('METHOD_NOT_FOUND', 'There is no such method');

/** The HTTP server of a process. */
export class HttpServer {
  readonly #server: Server;
  readonly #plain: PlainConnections;
  readonly #config: HttpServerConfig;
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #invoker: Invoker;
  readonly #peerOf: PeerOf;
  readonly #adapter: (request: IncomingMessage, response: ServerResponse) => void;
  #closing = false;

  constructor(
    config: HttpServerConfig,
    methods: ReadonlyMap<string, Method>,
    invoker: Invoker,
    tls: Tls | undefined,
  ) {
    this.#config = config;
    this.#peerOf = tls?.peerOf ?? noPeers;
    this.#invoker = invoker;
    // Streams in both directions need HTTP/2: they are on the gRPC port.
    this.#methods = new Map([...methods].filter(([, method]) => method.binding.kind !== 'stream'));
    this.#adapter = connectNodeAdapter({
      routes: (router) => addRoutes(router, this.#methods.values(), invoker),
      readMaxBytes: config.limits.maxBatchMessageBytes,
      maxTimeoutMs: config.limits.maxDeadlineMs,
      contextValues: (request) => createContextValues().set(PEER, this.#peerOf(request.socket)),
    });
    const requestTimeoutMs = Math.max(HEADERS_TIMEOUT_MS, config.limits.maxDeadlineMs);
    this.#server = this.#createServer(requestTimeoutMs, tls);
    this.#plain = new PlainConnections(this.#server, tls === undefined ? 'connection' : 'secureConnection', {
      methods: this.#methods,
      invoker,
      peerOf: this.#peerOf,
      isShedding: () => this.#closing,
      limits: {
        firstRequest: HEADERS_TIMEOUT_MS / MS_PER_SECOND,
        wholeRequest: Math.ceil(requestTimeoutMs / MS_PER_SECOND),
        keepAlive: KEEP_ALIVE_MS / MS_PER_SECOND,
      },
    });
    this.#server.maxConnections = config.http.maxConnections;
  }

  #createServer(requestTimeout: number, tls: Tls | undefined): Server {
    const settings = {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEAD_BYTES,
    };
    const serve = (request: IncomingMessage, response: ServerResponse): void =>
      this.#serve(request, response);
    if (tls === undefined) return createServer(settings, serve);
    const server = createTlsServer({ ...tls.serverOptions, ...settings }, serve);
    tls.attach(server);
    return server;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (this.#closing) response.setHeader('connection', 'close');
    const head = plainHeadOf(request);
    const method = head && this.#methods.get(head.path);
    if (head !== undefined && method !== undefined) {
      this.#servePlain(request, response, head, method);
    } else if (!applyCors(request, response, this.#config.http.corsOrigins)) {
      this.#serveByAdapter(request, response);
    }
  }

  /** A plain call on a connection that others come on too. */
  #servePlain(request: IncomingMessage, response: ServerResponse, head: PlainHead, method: Method): void {
    const exchange = {
      readBody: () => request.on('data', (bytes: Buffer) => call.take(bytes)),
      answer: (status: number, contentType: string, body: Uint8Array) => {
        response.writeHead(status, { 'content-type': contentType, 'content-length': body.length });
        response.end(body);
      },
    };
    const nowMs = this.#invoker.options.clock();
    const call = new HttpUnaryCall(head, method, exchange, nowMs, this.#peerOf(request.socket));
    response.on('close', () => call.abandon());
    call.begin(this.#invoker);
  }

  #serveByAdapter(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#methods.has(request.url?.split('?')[0] ?? '')) {
      answerUnknown(request, response);
      return;
    }
    capTimeouts(request.headers, this.#config.limits.maxDeadlineMs);
    this.#adapter(request, response);
  }

  /** Opens the port. Gives the port in use. */
  listen(): Promise<number> {
    return listen(this.#server, this.#config.http);
  }

  /** From now on every answer asks its connection to be closed, so that clients move to another replica without a failed call. */
  shedConnections(): void {
    this.#closing = true;
  }

  /** Takes no new connection and is kept when the calls in flight have ended; connections left after the grace time are cut. */
  async close(graceMs: number): Promise<void> {
    this.shedConnections();
    const timer = setTimeout(() => {
      this.#server.closeAllConnections();
      this.#plain.cut();
    }, graceMs);
    const closed = closeServer(this.#server);
    this.#plain.close();
    await closed;
    clearTimeout(timer);
  }
}

function answerUnknown(request: IncomingMessage, response: ServerResponse): void {
  const { json } = wireRefusalOf(NO_SUCH_METHOD, languageOf(request.headers['accept-language']));
  response.writeHead(404, { 'content-type': 'application/json', 'content-length': json.length });
  response.end(json);
  request.resume();
}

/** Opens a server on an address. Gives the port in use. */
export function listen(server: NetServer, { host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(portOf(server.address()));
    });
  });
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port');
  return address.port;
}

/** Takes no new connection; kept when every connection is closed. A server that never listened counts as closed. */
export function closeServer(server: NetServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
