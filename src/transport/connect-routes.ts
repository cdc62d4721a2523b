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
import { unreadableRequest } from '../domain/invalid-request.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Span } from '../telemetry/tracing/span.ts';
import type { RpcSystem } from './call-span.ts';
import type { Call, Caller, Invoker } from './invoke.ts';
import type { Method } from './method.ts';
import { languageOf } from './refusal-messages.ts';
import { wireRefusalOf } from './wire-refusal.ts';

const CALLER = createContextKey<AdapterCaller | undefined>(undefined, { description: 'The admitted call' });

/** Who the certificate of the connection stands for; the server sets it for each request. */
export const PEER = createContextKey<Identity | undefined>(undefined, { description: 'The peer' });

const UNREADABLE = unreadableRequest(undefined);
const TOO_LARGE = new Refusal('MESSAGE_TOO_LARGE', 'The request is larger than this method takes');
/** How the adapter begins its complaint about bytes that are no message; it calls that a fault of its own. */
const PARSE_COMPLAINT = 'parse binary';

/** Registers unary methods. */
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
  readonly rpcSystem: RpcSystem;
  span: Span | undefined;
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
    this.rpcSystem = context.protocolName === 'connect' ? 'connect_rpc' : 'grpc';
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
    const error = ConnectError.from(this.#context.signal.reason);
    this.#explain(error);
    const { code } = error;
    if (code === Code.DeadlineExceeded) this.#call?.expire();
    else this.#call?.abandon(code);
    this.#waiting?.reject(new ConnectError('The caller went away', Code.Canceled));
  }

  /**
   * What the adapter refuses by itself (a body that is too large, or no message) gets the code and the details it has elsewhere.
   * The adapter writes the error down after it told us.
   */
  #explain(error: ConnectError): void {
    if (error.details.length > 0) return;
    const isUnreadable = error.code === Code.InvalidArgument || error.rawMessage.startsWith(PARSE_COMPLAINT);
    const refusal = isUnreadable ? UNREADABLE : error.code === Code.ResourceExhausted ? TOO_LARGE : undefined;
    if (refusal === undefined) return;
    const { code, rawMessage, message, details } = wireRefusalOf(refusal, this.#language).connectError;
    Object.assign(error, { code, rawMessage, message, details });
  }

  get #language(): ReturnType<typeof languageOf> {
    return languageOf(this.#context.requestHeader.get('accept-language') ?? undefined);
  }

  get traceParent(): string | undefined {
    return this.#context.requestHeader.get('traceparent') ?? undefined;
  }

  admitted(call: Call): void {
    this.#call = call;
    this.#waiting?.resolve(new Uint8Array());
  }

  answered(response: Uint8Array): void {
    this.#waiting?.resolve(response);
  }

  refused(refusal: Refusal): void {
    this.#waiting?.reject(wireRefusalOf(refusal, this.#language).connectError);
  }
}
