/** The contract's methods on the Connect adapter: Connect, gRPC-Web and JSON, every one through the same path as gRPC. */
import { type DescMethodUnary, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createContextKey,
  type HandlerContext,
} from '@connectrpc/connect';
import type { Identity } from '../domain/identity.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { Call, Caller, Invoker } from './invoke.ts';
import type { Method } from './method.ts';
import { languageOf } from './refusal-messages.ts';
import { wireRefusalOf } from './wire-refusal.ts';

const CALLER = createContextKey<AdapterCaller | undefined>(undefined, { description: 'The admitted call' });

/** Who the certificate of the connection stands for; the server sets it for each request. */
export const PEER = createContextKey<Identity | undefined>(undefined, { description: 'The peer' });

/**
 * Registers unary methods. What the adapter refuses by itself (a body that is too large, cut or no message) has the same code as
 * elsewhere where it knows better, but none of our details.
 */
export function addRoutes(router: ConnectRouter, methods: Iterable<Method>, invoker: Invoker): void {
  for (const method of methods) {
    if (method.binding.kind !== 'stream') addRoute(router, method, method.binding.method, invoker);
  }
}

function addRoute(
  router: ConnectRouter,
  method: Method,
  descriptor: DescMethodUnary,
  invoker: Invoker,
): void {
  const handle = async (request: MessageShape<DescMethodUnary['input']>, context: HandlerContext) => {
    const response = await context.values.get(CALLER)?.run(toBinary(descriptor.input, request));
    return fromBinary(descriptor.output, response ?? new Uint8Array());
  };
  router.rpc(descriptor, handle, {
    readMaxBytes: method.maxBytes,
    // Before the body is read, so that who may not call pays for no decoding.
    requestGate: async (context) => {
      const caller = new AdapterCaller(context, invoker.options.clock());
      context.values.set(CALLER, caller);
      await caller.begin(method, invoker);
    },
  });
}

/** A call on the adapter, which wants promises: one for the admission, one for the answer. */
class AdapterCaller implements Caller {
  readonly authorization: string | undefined;
  readonly actAs: string | undefined;
  readonly peer: Identity | undefined;
  readonly requestedDeadlineMs: number;
  readonly #context: HandlerContext;
  #call: Call | undefined;
  /** Whoever waits: first the gate for the admission, then the route for the answer, nobody in between. */
  #waiting: PromiseWithResolvers<Uint8Array> | undefined;

  constructor(context: HandlerContext, nowMs: number) {
    this.#context = context;
    this.authorization = context.requestHeader.get('authorization') ?? undefined;
    this.actAs = context.requestHeader.get('x-hongbao-identity') ?? undefined;
    this.peer = context.values.get(PEER);
    this.requestedDeadlineMs = nowMs + (context.timeoutMs() ?? Infinity);
  }

  /** Kept when the call is admitted, broken with the Connect error otherwise. */
  async begin(method: Method, invoker: Invoker): Promise<void> {
    await this.#wait(() => invoker.begin(method, this));
    this.#context.signal.addEventListener('abort', () => this.#interrupt());
  }

  run(request: Uint8Array): Promise<Uint8Array> {
    return this.#wait(() => this.#call?.run(request));
  }

  #wait(begin: () => void): Promise<Uint8Array> {
    const waiting = Promise.withResolvers<Uint8Array>();
    this.#waiting = waiting;
    begin();
    return waiting.promise.finally(() => {
      this.#waiting = undefined;
    });
  }

  /** The adapter ends the call: its deadline passed, the caller went away, or the body was refused. The route must settle. */
  #interrupt(): void {
    const { code } = ConnectError.from(this.#context.signal.reason);
    if (code === Code.DeadlineExceeded) this.#call?.expire();
    else this.#call?.abandon(code);
    this.#waiting?.reject(new ConnectError('The caller went away', Code.Canceled));
  }

  admitted(call: Call): void {
    this.#call = call;
    this.#waiting?.resolve(new Uint8Array());
  }

  answered(response: Uint8Array): void {
    this.#waiting?.resolve(response);
  }

  refused(refusal: Refusal): void {
    const language = languageOf(this.#context.requestHeader.get('accept-language') ?? undefined);
    this.#waiting?.reject(wireRefusalOf(refusal, language).connectError);
  }
}
