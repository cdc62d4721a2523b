/** One call over a real connection, by gRPC or by Connect over HTTP, and what came of it in the contract's terms. */
import {
  create,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { type ChannelOptions, Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { ErrorInfoSchema } from '../../../src/gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../../src/gen/google/rpc/status_pb.ts';
import { CODE_NAMES } from '../../../src/transport/status-code.ts';

/** How a call ended. */
export type WireEnd<Message> =
  | { readonly kind: 'ok'; readonly message: Message }
  | { readonly kind: 'refused' | 'unknown'; readonly reason: string; readonly code: string };

/** A way into one service process. */
export interface Wire {
  readonly transport: 'grpc' | 'connect';
  readonly address: string;
  /** Calls a method; never throws. */
  call<Method extends DescMethodUnary>(
    method: Method,
    request: MessageInitShape<Method['input']>,
    timeoutMs: number,
  ): Promise<WireEnd<MessageShape<Method['output']>>>;
  close(): void;
}

/** What a service process listens on. */
export interface ServiceAddress {
  readonly host: string;
  readonly grpcPort: number;
  readonly httpPort: number;
}

/** Headers of calls of a method, such as a token; by the method's full name. */
export type HeadersOf = (method: string) => Readonly<Record<string, string>>;

/** Status codes after which nobody can tell whether the call was carried out. */
const UNKNOWN_CODES = new Set([
  'CANCELLED',
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);
const ERROR_INFO_URL = `type.googleapis.com/${ErrorInfoSchema.typeName}`;
/** A stopped server must be found again at once when it is back. */
const RECONNECT_MS = 200;

/** A refusal without the contract's reason comes from something in between, which cannot know. */
function failure(code: string, reason: string | undefined): WireEnd<never> {
  const isKnown = reason !== undefined && !UNKNOWN_CODES.has(code);
  return { kind: isKnown ? 'refused' : 'unknown', reason: reason ?? code, code };
}

function nameOf(method: DescMethodUnary): string {
  return `${method.parent.typeName}.${method.name}`;
}

function grpcFailure(error: ServiceError): WireEnd<never> {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const details = Buffer.isBuffer(bytes) ? fromBinary(StatusSchema, bytes).details : [];
  const info = details.find(({ typeUrl }) => typeUrl === ERROR_INFO_URL);
  const reason = info && fromBinary(ErrorInfoSchema, info.value).reason;
  return failure(CODE_NAMES[error.code] ?? String(error.code), reason);
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** Calls over gRPC. `address` may be any target of the library, `options` say more about the channel. */
export class GrpcWire implements Wire {
  readonly transport = 'grpc';
  readonly address: string;
  private readonly client: Client;
  private readonly headersOf: HeadersOf;

  constructor(address: string, headersOf: HeadersOf, options: ChannelOptions) {
    this.address = address;
    this.headersOf = headersOf;
    this.client = new Client(address, credentials.createInsecure(), {
      'grpc.initial_reconnect_backoff_ms': RECONNECT_MS,
      'grpc.max_reconnect_backoff_ms': RECONNECT_MS,
      ...options,
    });
  }

  call<Method extends DescMethodUnary>(
    method: Method,
    request: MessageInitShape<Method['input']>,
    timeoutMs: number,
  ): Promise<WireEnd<MessageShape<Method['output']>>> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(this.headersOf(nameOf(method)))) metadata.set(name, value);
    const bytes = Buffer.from(
      toBinary<Method['input']>(method.input, create<Method['input']>(method.input, request)),
    );
    const path = `/${method.parent.typeName}/${method.name}`;
    const deadline = Date.now() + timeoutMs;
    return new Promise((resolve) => {
      this.client.makeUnaryRequest(path, asIs, asIs, bytes, metadata, { deadline }, (error, response) => {
        if (error !== null) resolve(grpcFailure(error));
        else {
          const message = fromBinary<Method['output']>(method.output, response ?? new Uint8Array());
          resolve({ kind: 'ok', message });
        }
      });
    });
  }

  close(): void {
    this.client.close();
  }
}

/** Calls over Connect, on HTTP/1.1. */
export class ConnectWire implements Wire {
  readonly transport = 'connect';
  readonly address: string;
  private readonly connect: ReturnType<typeof createConnectTransport>;
  private readonly headersOf: HeadersOf;

  constructor({ host, httpPort }: ServiceAddress, headersOf: HeadersOf) {
    this.address = `${host}:${httpPort}`;
    this.headersOf = headersOf;
    this.connect = createConnectTransport({ baseUrl: `http://${this.address}`, httpVersion: '1.1' });
  }

  async call<Method extends DescMethodUnary>(
    method: Method,
    request: MessageInitShape<Method['input']>,
    timeoutMs: number,
  ): Promise<WireEnd<MessageShape<Method['output']>>> {
    try {
      const headers = this.headersOf(nameOf(method));
      const { message } = await this.connect.unary<Method['input'], Method['output']>(
        method,
        undefined,
        timeoutMs,
        headers,
        request,
      );
      return { kind: 'ok', message };
    } catch (error) {
      const told = ConnectError.from(error, Code.Unknown);
      const [info] = told.findDetails(ErrorInfoSchema);
      return failure(CODE_NAMES[told.code] ?? String(told.code), info?.reason);
    }
  }

  close(): void {
    // Connections over HTTP/1.1 belong to Node's agent and end by themselves.
  }
}

/** Ways into the services. */
export interface Wires {
  readonly grpc: readonly Wire[];
  readonly connect: readonly Wire[];
  close(): void;
}

/** Both ways into every service. */
export function openWires(services: readonly ServiceAddress[], headersOf: HeadersOf): Wires {
  // The library would send some calls again by itself; who asks again here is written down.
  const once = { 'grpc.enable_retries': 0 };
  const grpc = services.map(({ host, grpcPort }) => new GrpcWire(`${host}:${grpcPort}`, headersOf, once));
  const connect = services.map((service) => new ConnectWire(service, headersOf));
  return {
    grpc,
    connect,
    close: () => {
      for (const wire of [...grpc, ...connect]) wire.close();
    },
  };
}
