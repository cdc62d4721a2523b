/**
 * A plain call over HTTP/1.1, without the adapter, which costs ten times as much. Whatever is not plain goes to the adapter; answers
 * and errors are the same.
 */
import type { Identity } from '../domain/identity.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { Span } from '../telemetry/tracing/span.ts';
import { type Call, type Caller, type Invoker, tooLarge } from './invoke.ts';
import type { Method } from './method.ts';
import { PLAIN_TYPE, type PlainHead } from './plain-head.ts';
import { languageOf } from './refusal-messages.ts';
import { wireRefusalOf } from './wire-refusal.ts';

const JSON_TYPE = 'application/json';
const NO_BODY = new Uint8Array();

/** The other side of a call: where its body comes from and its answer goes. */
export interface HttpExchange {
  /** The body is wanted: `take` may be called from now on. Not called when the headers alone decide. */
  readBody(): void;
  /** Called once, before or after the body is complete. */
  answer(status: number, contentType: string, body: Uint8Array): void;
}

/** Serves one plain call. */
export class HttpUnaryCall implements Caller {
  readonly authorization: string | undefined;
  readonly actAs: string | undefined;
  readonly traceParent: string | undefined;
  readonly peer: Identity | undefined;
  readonly requestedDeadlineMs: number;
  readonly rpcSystem = 'connect_rpc';
  span: Span | undefined;
  readonly #head: PlainHead;
  readonly #method: Method;
  readonly #exchange: HttpExchange;
  #call: Call | undefined;
  #first: Buffer | undefined;
  #others: Buffer[] | undefined;
  #bytesRead = 0;
  #isAbandoned = false;

  constructor(
    head: PlainHead,
    method: Method,
    exchange: HttpExchange,
    nowMs: number,
    peer: Identity | undefined,
  ) {
    this.#head = head;
    this.#method = method;
    this.#exchange = exchange;
    this.peer = peer;
    this.authorization = head.authorization;
    this.actAs = head.actAs;
    this.traceParent = head.traceParent;
    this.requestedDeadlineMs = nowMs + head.timeoutMs;
  }

  /** Takes the call through the one path of all calls. */
  begin(invoker: Invoker): void {
    invoker.begin(this.#method, this);
  }

  admitted(call: Call): void {
    const { contentLength } = this.#head;
    this.#call = call;
    if (this.#isAbandoned) call.abandon();
    else if (contentLength > this.#method.maxBytes) call.end(tooLarge(contentLength, this.#method.maxBytes));
    else if (contentLength === 0) call.run(NO_BODY);
    else this.#exchange.readBody();
  }

  /** The next bytes of the body, of which there are as many as the headers say; the last ones run the call. */
  take(bytes: Buffer): void {
    this.#bytesRead += bytes.length;
    if (this.#first === undefined) {
      this.#first = bytes;
    } else {
      this.#others ??= [this.#first];
      this.#others.push(bytes);
    }
    if (this.#bytesRead === this.#head.contentLength)
      this.#call?.run(this.#others === undefined ? this.#first : Buffer.concat(this.#others));
  }

  /** The connection is gone, perhaps before it was known who is calling. Does nothing after the answer. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#call?.abandon();
  }

  answered(message: Uint8Array): void {
    this.#exchange.answer(200, PLAIN_TYPE, message);
  }

  refused(refusal: Refusal): void {
    const wire = wireRefusalOf(refusal, languageOf(this.#head.acceptLanguage));
    this.#exchange.answer(wire.httpStatus, JSON_TYPE, wire.json);
  }
}
