/**
 * A unary call straight on node:http: the plain requests of services (Connect protocol, binary) without the adapter, which costs
 * ten times as much. Whatever is not plain goes to the adapter; answers and errors are the same.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '../domain/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Span } from '../telemetry/tracing/span.ts';
import type { BodySink, DirectRequest } from './direct-request.ts';
import { type Call, type Caller, type Invoker, tooLarge } from './invoke.ts';
import type { Method } from './method.ts';
import { languageOf } from './refusal-messages.ts';
import { wireRefusalOf } from './wire-refusal.ts';

const CONTENT_TYPE = 'application/proto';
const LENGTH_UNKNOWN = -1;
const BODY_CUT = new Refusal('INVALID_REQUEST', 'The body is not as long as its content-length says');

/**
 * Bodies up to this size leave in one write with their header: node joins the two only when both are text, and every byte is
 * a character of latin1. Two chunks cost a gathered write and its bookkeeping, which is a tenth of a claim.
 */
const ONE_WRITE_BYTES = 4_096;

function latin1Of(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
}

/** Whether the request can be served without the adapter: binary, uncompressed, of known length, from no web page. */
export function isPlain(request: IncomingMessage): boolean {
  const { headers } = request;
  return (
    request.method === 'POST' &&
    headers['content-type'] === CONTENT_TYPE &&
    headers['content-length'] !== undefined &&
    headers['content-encoding'] === undefined &&
    headers.origin === undefined &&
    isTimeoutKnown(headers['connect-timeout-ms'])
  );
}

/** At most ten digits, says the Connect protocol. The adapter explains what is wrong with anything else. */
function isTimeoutKnown(timeout: string | string[] | undefined): boolean {
  return timeout === undefined || (typeof timeout === 'string' && /^\d{1,10}$/.test(timeout));
}

/** The value of a header, or undefined; node joins repeated ones. */
export function httpHeaderOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Serves one plain request. */
export class HttpUnaryCall implements Caller, BodySink {
  readonly authorization: string | undefined;
  readonly actAs: string | undefined;
  readonly peer: Identity | undefined;
  readonly requestedDeadlineMs: number;
  readonly rpcSystem = 'connect_rpc';
  span: Span | undefined;
  readonly #request: DirectRequest;
  readonly #response: ServerResponse;
  readonly #method: Method;
  readonly #bytesExpected: number;
  #call: Call | undefined;
  #first: Buffer | undefined;
  #others: Buffer[] | undefined;
  #bytesRead = 0;

  constructor(
    request: DirectRequest,
    response: ServerResponse,
    method: Method,
    nowMs: number,
    peer: Identity | undefined,
  ) {
    const timeout = request.headers['connect-timeout-ms'];
    this.#request = request;
    this.#response = response;
    this.#method = method;
    this.peer = peer;
    this.#bytesExpected = Number(request.headers['content-length'] ?? LENGTH_UNKNOWN);
    this.authorization = request.headers.authorization;
    this.actAs = httpHeaderOf(request, 'x-hongbao-identity');
    this.requestedDeadlineMs = timeout === undefined ? Infinity : nowMs + Number(timeout);
  }

  /** Takes the request through the one path of all calls. */
  begin(invoker: Invoker): void {
    invoker.begin(this.#method, this);
  }

  get traceParent(): string | undefined {
    return httpHeaderOf(this.#request, 'traceparent');
  }

  admitted(call: Call): void {
    if (this.#bytesExpected > this.#method.maxBytes) {
      call.end(tooLarge(this.#bytesExpected, this.#method.maxBytes));
      return;
    }
    this.#call = call;
    // Fires after the answer too; then the call has ended and this does nothing.
    this.#response.on('close', () => call.abandon());
    this.#request.readInto(this);
  }

  take(chunk: Buffer): void {
    this.#bytesRead += chunk.length;
    if (this.#first === undefined) {
      this.#first = chunk;
    } else {
      this.#others ??= [this.#first];
      this.#others.push(chunk);
    }
  }

  end(): void {
    if (this.#bytesRead !== this.#bytesExpected) this.#call?.end(BODY_CUT);
    else this.#call?.run(this.#body());
  }

  #body(): Uint8Array {
    return this.#others === undefined ? (this.#first ?? new Uint8Array()) : Buffer.concat(this.#others);
  }

  answered(message: Uint8Array): void {
    this.#write(200, CONTENT_TYPE, message);
  }

  refused(refusal: Refusal): void {
    const wire = wireRefusalOf(refusal, languageOf(this.#request.headers['accept-language']));
    this.#write(wire.httpStatus, 'application/json', wire.json);
  }

  #write(status: number, contentType: string, body: Uint8Array): void {
    this.#response.writeHead(status, ['content-type', contentType, 'content-length', String(body.length)]);
    if (body.length > ONE_WRITE_BYTES) this.#response.end(body);
    else this.#response.end(latin1Of(body), 'latin1');
  }
}
