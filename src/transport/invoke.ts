/**
 * The one path every call takes, on every server and protocol, in this order: count, is there room, who is calling, may they, by
 * when, how often, how large, the handler, count. A server brings the headers and the bytes and takes the answer; it decides nothing.
 */
import type { Validator } from '@bufbuild/protovalidate';
import type { Config } from '../config/config.ts';
import type { Identity } from '../domain/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import { within } from '../telemetry/tracing/current-span.ts';
import type { Span } from '../telemetry/tracing/span.ts';
import type { Tracer } from '../telemetry/tracing/tracer.ts';
import type { Admission } from './admission.ts';
import type { Authenticator, Credentials } from './authentication.ts';
import type { StreamWrite } from './binding.ts';
import type { CallContext } from './call-context.ts';
import { endCallSpan, type RpcSystem } from './call-span.ts';
import { DeadlineWatch, NOT_WATCHED } from './deadline-watch.ts';
import type { Method } from './method.ts';
import type { RateLimits } from './rate-limits.ts';
import { codeOf } from './refusal-details.ts';
import { codeNumber } from './status-code.ts';

/**
 * One request as a server sees it, and where the answer goes. First either `admitted` or `refused` is called; after `admitted` the
 * server reads the body and calls one of the `run` methods, which end in exactly one of `answered` and `refused`.
 */
export interface Caller extends Credentials {
  /** The deadline of the request in local epoch milliseconds; `Infinity` when it states none. */
  readonly requestedDeadlineMs: number;
  /** The header `traceparent`; looked at only where calls are traced. */
  readonly traceParent: string | undefined;
  readonly rpcSystem: RpcSystem;
  /** The span of the call, where it is recorded. Set by the invoker. */
  span: Span | undefined;
  admitted(call: Call): void;
  answered(response: Uint8Array): void;
  refused(refusal: Refusal): void;
}

/** What calls need from their process. */
export interface InvokeOptions {
  readonly authenticator: Authenticator;
  readonly validator: Validator;
  readonly limits: Config['limits'];
  readonly admission: Admission;
  readonly rateLimits: RateLimits;
  readonly logger: Logger;
  /** Absent: no call is traced. */
  readonly tracer?: Tracer | undefined;
  /** Local epoch milliseconds. */
  readonly clock: () => number;
}

const NOT_ALLOWED = new Refusal('PERMISSION_DENIED', 'This identity may not call this method');
const TOO_LATE = new Refusal('DEADLINE_EXCEEDED', 'The deadline had passed when the call arrived');
const TOO_SLOW = new Refusal('DEADLINE_EXCEEDED', 'The deadline passed before the outcome was known');
const OVERLOADED = new Refusal('SERVER_OVERLOADED', 'Too many calls are under way');
const EMPTY = new Uint8Array();
const OK = codeNumber('OK');
const CANCELLED = codeNumber('CANCELLED');
const DEADLINE_EXCEEDED = codeNumber('DEADLINE_EXCEEDED');

/** Starts calls. One per process, shared by all servers. */
export class Invoker {
  readonly options: InvokeOptions;
  /** Calls whose body has not come: a caller who sends none, or whose connection broke unnoticed, must not hold a place for ever. */
  readonly incomplete: DeadlineWatch;

  constructor(options: InvokeOptions) {
    this.options = options;
    this.incomplete = new DeadlineWatch(options.clock);
  }

  /** Decides about a request by its headers alone, before its body is read. */
  begin(method: Method, caller: Caller): void {
    const startedAtMs = performance.now();
    const nowMs = this.options.clock();
    const { tracer } = this.options;
    if (tracer !== undefined)
      caller.span = tracer.root(method.spanStarts[caller.rpcSystem], caller.traceParent);
    method.countStart();
    if (!this.options.admission.enter()) {
      countEnd(method, caller, codeOf(OVERLOADED), startedAtMs, OVERLOADED);
      caller.refused(OVERLOADED);
      return;
    }
    const identity = this.options.authenticator.known(caller, nowMs);
    if (identity !== undefined) this.#admit(method, caller, identity, nowMs, startedAtMs);
    else this.#authenticate(method, caller, nowMs, startedAtMs);
  }

  #authenticate(method: Method, caller: Caller, nowMs: number, startedAtMs: number): void {
    this.options.authenticator.verify(caller, nowMs).then(
      (identity) => this.#admit(method, caller, identity, nowMs, startedAtMs),
      (error) => {
        const refusal = within(caller.span, () => this.refusalFor(error, method));
        this.#turnAway(method, caller, refusal, startedAtMs);
      },
    );
  }

  #admit(method: Method, caller: Caller, identity: Identity, nowMs: number, startedAtMs: number): void {
    const deadlineMs = this.#deadlineOf(method, caller.requestedDeadlineMs, nowMs);
    const refusal = this.#refusalOf(method, identity, deadlineMs, nowMs);
    if (refusal !== undefined) this.#turnAway(method, caller, refusal, startedAtMs);
    else
      this.#takeOn(method, caller, new Call(this, method, caller, identity, nowMs, deadlineMs, startedAtMs));
  }

  #takeOn(method: Method, caller: Caller, call: Call): void {
    if (method.binding.kind !== 'stream') this.incomplete.watch(call);
    caller.admitted(call);
  }

  #refusalOf(method: Method, identity: Identity, deadlineMs: number, nowMs: number): Refusal | undefined {
    if (!method.allows(identity)) return NOT_ALLOWED;
    return deadlineMs <= nowMs ? TOO_LATE : this.options.rateLimits.ofCaller(identity, nowMs);
  }

  #deadlineOf(method: Method, requestedMs: number, nowMs: number): number {
    if (method.binding.kind === 'stream') return requestedMs;
    const { defaultDeadlineMs, maxDeadlineMs } = this.options.limits;
    return requestedMs === Infinity
      ? nowMs + defaultDeadlineMs
      : Math.min(requestedMs, nowMs + maxDeadlineMs);
  }

  #turnAway(method: Method, caller: Caller, refusal: Refusal, startedAtMs: number): void {
    this.options.admission.leave();
    countEnd(method, caller, codeOf(refusal), startedAtMs, refusal);
    caller.refused(refusal);
  }

  /** Anything thrown as a refusal; what is not one is a fault of ours, and its cause goes to the log only. */
  refusalFor(error: unknown, method: Method): Refusal {
    const known = error instanceof Refusal;
    const cause = known ? error.detail.cause : error;
    if (cause !== undefined) {
      const line = {
        event: LOG_EVENTS.callFailed,
        method: method.path,
        reason: known ? error.reason : 'INTERNAL',
        err: cause,
      };
      if (known && error.reason !== 'INTERNAL') this.options.logger.debug(line, 'A call was refused');
      else this.options.logger.error(line, 'A call failed');
    }
    return known ? error : new Refusal('INTERNAL', 'Internal error');
  }
}

/** An admitted call: the circumstances its handler is told, and the way back to its caller. */
export class Call implements CallContext {
  readonly identity: Identity;
  readonly nowMs: number;
  readonly deadlineMs: number;
  watchedAt = NOT_WATCHED;
  readonly #invoker: Invoker;
  readonly #method: Method;
  readonly #caller: Caller;
  readonly #startedAtMs: number;
  #ended = false;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    invoker: Invoker,
    method: Method,
    caller: Caller,
    identity: Identity,
    nowMs: number,
    deadlineMs: number,
    startedAtMs: number,
  ) {
    this.#invoker = invoker;
    this.#method = method;
    this.#caller = caller;
    this.identity = identity;
    this.nowMs = nowMs;
    this.deadlineMs = deadlineMs;
    this.#startedAtMs = startedAtMs;
  }

  /** Made at first use: a claim never asks for it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** Runs the handler of a unary method on the bytes of the request; nothing when the call has ended before they were complete. */
  run(request: Uint8Array): void {
    if (this.#ended) return;
    const { span } = this.#caller;
    if (span === undefined) this.#serve(request);
    else within(span, () => this.#serve(request));
  }

  #serve(request: Uint8Array): void {
    this.#invoker.incomplete.forget(this);
    const { binding, maxBytes } = this.#method;
    const refusal =
      request.length > maxBytes ? tooLarge(request.length, maxBytes) : this.#limitOfUser(request);
    if (refusal !== undefined) {
      this.end(refusal);
    } else if (binding.kind === 'hot') {
      try {
        binding.handle(request, this, (result) => this.end(result));
      } catch (error) {
        this.#fail(error);
      }
    } else if (binding.kind === 'unary') {
      this.#timer = setTimeout(() => this.expire(), this.deadlineMs - this.nowMs);
      binding.handle(request, this, this.#invoker.options.validator).then(
        (response) => this.end(response),
        (error) => this.#fail(error),
      );
    }
  }

  /** The limit of the user a service calls for; users who call themselves were judged by their identity. */
  #limitOfUser(request: Uint8Array): Refusal | undefined {
    const { rateLimits } = this.#invoker.options;
    if (!rateLimits.countsUsers || this.identity.userId !== undefined) return undefined;
    const userId = this.#method.readUser?.(request) ?? '';
    return userId === '' ? undefined : rateLimits.ofUser(userId, this.nowMs);
  }

  /**
   * Runs the handler of a stream; `answered` is called with nothing once it ended well.
   *
   * @param cutBy Asked when the handler has ended: why its requests were cut off, if they were.
   */
  runStream(requests: AsyncIterable<Uint8Array>, write: StreamWrite, cutBy: () => Refusal | undefined): void {
    within(this.#caller.span, () => this.#serveStream(requests, write, cutBy));
  }

  #serveStream(
    requests: AsyncIterable<Uint8Array>,
    write: StreamWrite,
    cutBy: () => Refusal | undefined,
  ): void {
    const { binding, maxBytes } = this.#method;
    if (binding.kind !== 'stream') throw new Error(`${this.#method.path} is not a stream`);
    binding.handle(withinSize(requests, maxBytes), this, write).then(
      // A caller that vanishes looks like one that has nothing more to say, until the next turn of the event loop.
      () => setImmediate(() => this.end(cutBy() ?? EMPTY)),
      (error) => this.#fail(cutBy() ?? error),
    );
  }

  /** Ends the call with its response or refusal; what comes after the first end is dropped. */
  end(result: Uint8Array | Refusal): void {
    if (this.#ended) return;
    if (result instanceof Refusal) {
      this.#close(codeOf(result), result);
      this.#caller.refused(result);
    } else {
      this.#close(OK);
      this.#caller.answered(result);
    }
  }

  /** The deadline passed: says so to the caller, who may still be there. */
  expire(): void {
    this.end(TOO_SLOW);
  }

  /**
   * Nobody waits for the answer any more.
   *
   * @param code Why, when the server knows; otherwise the caller went away, or its own deadline passed.
   */
  abandon(code?: number): void {
    if (this.#ended) return;
    const isLate = this.#invoker.options.clock() >= this.deadlineMs;
    this.#close(code ?? (isLate ? DEADLINE_EXCEEDED : CANCELLED));
  }

  #fail(error: unknown): void {
    if (!this.#ended) this.end(this.#invoker.refusalFor(error, this.#method));
  }

  #close(code: number, refusal?: Refusal): void {
    this.#ended = true;
    this.#invoker.options.admission.leave();
    this.#invoker.incomplete.forget(this);
    countEnd(this.#method, this.#caller, code, this.#startedAtMs, refusal);
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#controller?.abort();
  }
}

/** Counts a call that ended, and ends its span. */
function countEnd(
  method: Method,
  caller: Caller,
  code: number,
  startedAtMs: number,
  refusal: Refusal | undefined,
): void {
  method.countEnd(code, startedAtMs);
  if (caller.span !== undefined) endCallSpan(caller.span, caller.rpcSystem, code, refusal?.reason);
}

/** The refusal for a message above the limit of its method. */
export function tooLarge(bytes: number, maxBytes: number): Refusal {
  return new Refusal('MESSAGE_TOO_LARGE', `The request has ${bytes} bytes; at most ${maxBytes} are taken`);
}

async function* withinSize(
  messages: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  for await (const message of messages) {
    if (message.length > maxBytes) throw tooLarge(message.length, maxBytes);
    yield message;
  }
}
