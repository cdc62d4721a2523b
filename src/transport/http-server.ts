/** The HTTP port: Connect, gRPC-Web and JSON. Plain hot calls are served directly, everything else by the Connect adapter. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import type { Config } from '../config/config.ts';
import { Refusal } from '../domain/refusal.ts';
import { addRoutes } from './connect-routes.ts';
import { applyCors } from './cors.ts';
import { HttpHotCall, isPlain } from './http-hot-call.ts';
import type { Invoker } from './invoke.ts';
import type { Method } from './method.ts';
import { languageOf } from './refusal-messages.ts';
import { capTimeouts } from './timeouts.ts';
import { wireRefusalOf } from './wire-refusal.ts';

/** Settings of the HTTP server. */
export type HttpServerConfig = Pick<Config, 'http' | 'limits'>;

/** Time a client has for its headers: it does not wait for us, so it needs little. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Above what load balancers keep idle connections for, so that they and not we close them. */
const KEEP_ALIVE_MS = 75_000;
const MAX_HEADER_BYTES = 16_384;

const NO_SUCH_METHOD = new Refusal('METHOD_NOT_FOUND', 'There is no such method');

/** The HTTP server of a process. */
export class HttpServer {
  readonly #server: Server;
  readonly #config: HttpServerConfig;
  readonly #hotMethods: ReadonlyMap<string, Method>;
  readonly #paths: ReadonlySet<string>;
  readonly #invoker: Invoker;
  readonly #adapter: (request: IncomingMessage, response: ServerResponse) => void;
  #closing = false;

  constructor(config: HttpServerConfig, methods: ReadonlyMap<string, Method>, invoker: Invoker) {
    this.#config = config;
    this.#invoker = invoker;
    const served = [...methods].filter(([, method]) => method.binding.kind !== 'stream');
    this.#hotMethods = new Map(served.filter(([, method]) => method.binding.kind === 'hot'));
    this.#paths = new Set(served.map(([path]) => path));
    this.#adapter = connectNodeAdapter({
      routes: (router) => addRoutes(router, methods.values(), invoker),
      readMaxBytes: config.limits.maxMessageBytes,
      maxTimeoutMs: config.limits.maxDeadlineMs,
    });
    this.#server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: config.limits.maxDeadlineMs,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
      },
      (request, response) => this.#serve(request, response),
    );
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (this.#closing) response.setHeader('connection', 'close');
    const hot = this.#hotMethods.get(request.url ?? '');
    if (hot !== undefined && isPlain(request)) {
      new HttpHotCall(request, response, hot, this.#invoker.options.clock()).begin(this.#invoker);
    } else if (!applyCors(request, response, this.#config.http.corsOrigins)) {
      this.#serveByAdapter(request, response);
    }
  }

  #serveByAdapter(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#paths.has(request.url?.split('?')[0] ?? '')) {
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

  /** Takes no new connection, closes idle ones, and waits until the calls in flight were answered. */
  close(): Promise<void> {
    this.#closing = true;
    return closeServer(this.#server);
  }

  /** Cuts every connection. */
  forceClose(): void {
    this.#server.closeAllConnections();
  }
}

function answerUnknown(request: IncomingMessage, response: ServerResponse): void {
  const { json } = wireRefusalOf(NO_SUCH_METHOD, languageOf(request.headers['accept-language']));
  response.writeHead(404, { 'content-type': 'application/json', 'content-length': json.length });
  response.end(json);
  request.resume();
}

/** Opens a server on an address. Gives the port in use. */
export function listen(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
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

/** Closes a server when its calls have ended. One that never listened counts as closed. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
