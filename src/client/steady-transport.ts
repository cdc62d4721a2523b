/**
 * A transport that does what every caller of this service should: states a deadline, carries the token, makes writes repeatable,
 * and asks again where the contract says that asking again helps, with restraint.
 */
import {
  create,
  type DescMessage,
  type DescMethodStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { Code, type StreamResponse, type Transport, type UnaryResponse } from '@connectrpc/connect';
import type { CallHeaders } from './call-headers.ts';
import { isRead, methodName, planOf } from './call-plan.ts';
import { type HongbaoError, hongbaoErrorOf } from './hongbao-error.ts';
import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS, MAX_ATTEMPTS } from './limits.ts';
import { isRepeatable, withRequestIds } from './request-ids.ts';
import { RetryBudget } from './retry-budget.ts';
import type { TokenKeeper } from './token-keeper.ts';

/** Time, chance and ids, so that tests bring their own. */
export interface Circumstances {
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  /** Kept after that time; broken at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
  /** From 0 to 1. */
  random(): number;
  newId(): string;
}

/** What a steady transport is made of. */
export interface SteadyOptions {
  readonly inner: Transport;
  readonly tokens: TokenKeeper | undefined;
  /** Headers for each attempt, such as `traceparent`. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly deadlines: Readonly<Record<string, number>>;
  readonly maxAttempts?: number;
  readonly circumstances: Circumstances;
}

/** Codes of attempts whose outcome is unknown, and that another attempt may well tell. */
const ASKED_AGAIN = new Set([Code.Unavailable, Code.DeadlineExceeded]);

/** The transport under every client. */
export class SteadyTransport implements Transport {
  readonly #options: SteadyOptions;
  readonly #budget = new RetryBudget();

  constructor(options: SteadyOptions) {
    this.#options = options;
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: CallHeaders,
    input: MessageInitShape<I>,
  ): Promise<UnaryResponse<I, O>> {
    const { newId, now } = this.#options.circumstances;
    const { request, requestId } = withRequestIds(method.input, create(method.input, input), newId);
    const plan = planOf(method, timeoutMs ?? this.#options.deadlines[methodName(method)]);
    const endsAtMs = now() + plan.deadlineMs;
    const attempt = (remainingMs: number): Promise<UnaryResponse<I, O>> =>
      this.#attempt(method, signal, Math.ceil(Math.min(remainingMs, plan.attemptMs)), header, request);
    return await this.#repeat(attempt, { method, requestId, endsAtMs, signal, tokenRenewed: false });
  }

  /** Asks until there is an answer, a refusal, or no reason to ask again. */
  async #repeat<T>(attempt: (remainingMs: number) => Promise<T>, call: CallUnderWay): Promise<T> {
    const { now, sleep } = this.#options.circumstances;
    for (let attempts = 1; ; attempts += 1) {
      try {
        const answer = await attempt(Math.max(1, call.endsAtMs - now()));
        this.#budget.earn();
        return answer;
      } catch (thrown) {
        const { method, requestId, signal } = call;
        const error = hongbaoErrorOf(causeOf(thrown), { method: methodName(method), requestId, attempts });
        const pauseMs = await this.#pauseBefore(error, thrown, attempts, call);
        if (pauseMs === undefined) throw error;
        await sleep(pauseMs, signal).catch(() => Promise.reject(error));
      }
    }
  }

  /** Milliseconds until the next attempt; undefined when there is none. */
  async #pauseBefore(
    error: HongbaoError,
    thrown: unknown,
    attempts: number,
    call: CallUnderWay,
  ): Promise<number | undefined> {
    if (call.signal?.aborted === true) return undefined;
    if (await this.#renewsToken(error, thrown, call)) return 0;
    if (!ASKED_AGAIN.has(error.code) || !mayRepeat(call.method)) return undefined;
    if (attempts >= (this.#options.maxAttempts ?? MAX_ATTEMPTS)) return undefined;
    const { now, random } = this.#options.circumstances;
    const ownMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1));
    const pauseMs = (error.retryAfterMs ?? 0) + random() * ownMs;
    if (now() + pauseMs >= call.endsAtMs) return undefined;
    return this.#budget.spend() ? pauseMs : undefined;
  }

  /** A refused token is replaced once per call: nothing happened, whatever the method. */
  async #renewsToken(error: HongbaoError, thrown: unknown, call: CallUnderWay): Promise<boolean> {
    const { tokens } = this.#options;
    if (tokens === undefined || error.code !== Code.Unauthenticated || call.tokenRenewed) return false;
    if (!(thrown instanceof RefusedAttempt) || thrown.token === undefined) return false;
    call.tokenRenewed = true;
    await tokens.refused(thrown.token);
    return true;
  }

  async #attempt<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number,
    header: CallHeaders,
    request: MessageShape<I>,
  ): Promise<UnaryResponse<I, O>> {
    const { headers, token } = await this.#headersOf(header);
    try {
      return await this.#options.inner.unary<I, O>(
        method,
        signal,
        timeoutMs,
        headers,
        request as MessageInitShape<I>,
      );
    } catch (cause) {
      throw new RefusedAttempt(cause, token);
    }
  }

  /** What the call says goes before what the client says. */
  async #headersOf(header: CallHeaders): Promise<{ headers: Headers; token: string | undefined }> {
    const headers = new Headers(this.#options.headers());
    const token = await this.#options.tokens?.get();
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    new Headers(header).forEach((value, name) => {
      headers.set(name, value);
    });
    return { headers, token };
  }

  /** Streams are opened once: where to go on after a break is the caller's knowledge. */
  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: CallHeaders,
    input: AsyncIterable<MessageInitShape<I>>,
  ): Promise<StreamResponse<I, O>> {
    const { headers, token } = await this.#headersOf(header);
    const requests = identified(method.input, input, this.#options.circumstances.newId);
    const fail = async (thrown: unknown): Promise<never> => {
      const error = hongbaoErrorOf(thrown, { method: methodName(method) });
      if (error.code === Code.Unauthenticated && token !== undefined)
        await this.#options.tokens?.refused(token);
      throw error;
    };
    try {
      const opened = await this.#options.inner.stream<I, O>(method, signal, timeoutMs, headers, requests);
      return { ...opened, message: failing(opened.message, fail) };
    } catch (thrown) {
      return await fail(thrown);
    }
  }
}

interface CallUnderWay {
  readonly method: DescMethodUnary;
  readonly requestId: string | undefined;
  readonly endsAtMs: number;
  readonly signal: AbortSignal | undefined;
  tokenRenewed: boolean;
}

/** An attempt that failed, with the token it carried: another call may have replaced that meanwhile. */
class RefusedAttempt extends Error {
  readonly token: string | undefined;

  constructor(cause: unknown, token: string | undefined) {
    super('The attempt failed', { cause });
    this.token = token;
  }
}

function causeOf(thrown: unknown): unknown {
  return thrown instanceof RefusedAttempt ? thrown.cause : thrown;
}

function mayRepeat(method: DescMethodUnary): boolean {
  return isRead(method) || isRepeatable(method.input);
}

async function* identified<I extends DescMessage>(
  schema: I,
  input: AsyncIterable<MessageInitShape<I>>,
  newId: () => string,
): AsyncGenerator<MessageInitShape<I>> {
  for await (const message of input)
    yield withRequestIds(schema, create(schema, message), newId).request as MessageInitShape<I>;
}

async function* failing<T>(
  messages: AsyncIterable<T>,
  fail: (thrown: unknown) => Promise<never>,
): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (thrown) {
    await fail(thrown);
  }
}
