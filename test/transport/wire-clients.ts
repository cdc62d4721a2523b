/** One call on every way into the service, answered in one shape, so that answers can be compared. */
import {
  createRegistry,
  type DescMethodUnary,
  fromBinary,
  type Message,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { ConnectError, type Transport as ConnectTransport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { file_google_rpc_error_details } from '../../src/gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../src/gen/google/rpc/status_pb.ts';
import { pathOf } from '../../src/transport/binding.ts';
import { CODE_NAMES } from '../../src/transport/status-code.ts';
import type { Addresses } from '../../src/transport/transport.ts';

const registry = createRegistry(file_google_rpc_error_details);

/** An answer of any protocol: the response in JSON, or code, message and details. */
export type WireAnswer =
  | { readonly ok: unknown }
  | { readonly code: string; readonly message: string; readonly details: readonly unknown[] };

/** Sends one request with headers. */
export type WireCall = (
  method: DescMethodUnary,
  request: Message,
  headers: Readonly<Record<string, string>>,
) => Promise<WireAnswer>;

/** The name of a code in gRPC's spelling. */
export function codeName(code: number): string {
  return CODE_NAMES[code] ?? String(code);
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** Reads a failed gRPC call, details included. */
export function readServiceError(error: ServiceError): WireAnswer {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const details = bytes instanceof Buffer ? fromBinary(StatusSchema, bytes).details : [];
  return { code: codeName(error.code), message: error.details, details: details.map(showDetail) };
}

function showDetail(detail: Parameters<typeof anyUnpack>[0]): unknown {
  const message = anyUnpack(detail, registry);
  const schema = message && registry.getMessage(message.$typeName);
  return message && schema ? { type: schema.typeName, ...Object(toJson(schema, message)) } : detail;
}

/** Calls with grpc-js. */
export function grpcCall(client: Client): WireCall {
  return (method, request, headers) => {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    const bytes = Buffer.from(toBinary(method.input, request));
    return new Promise((resolve) => {
      client.makeUnaryRequest(pathOf(method), asIs, asIs, bytes, metadata, (error, response) => {
        if (error !== null) resolve(readServiceError(error));
        else resolve({ ok: toJson(method.output, fromBinary(method.output, response ?? new Uint8Array())) });
      });
    });
  };
}

function connectCall(transport: ConnectTransport): WireCall {
  return async (method, request, headers) => {
    try {
      const { message } = await transport.unary(method, undefined, undefined, headers, request);
      return { ok: toJson(method.output, message) };
    } catch (error) {
      return readConnectError(ConnectError.from(error));
    }
  };
}

function readConnectError(error: ConnectError): WireAnswer {
  const details = error.details.map((detail) => {
    if (!('type' in detail)) throw new Error('Details of an answer are bytes');
    const schema = registry.getMessage(detail.type);
    if (schema === undefined) throw new Error(`Unknown detail ${detail.type}`);
    return { type: detail.type, ...Object(toJson(schema, fromBinary(schema, detail.value))) };
  });
  return { code: codeName(error.code), message: error.rawMessage, details };
}

/** Every way in, by name. `close` ends the connections. */
export function wireCalls({ grpcPort, httpPort }: Addresses): {
  calls: Readonly<Record<string, WireCall>>;
  close(): void;
} {
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  const http = { baseUrl: `http://127.0.0.1:${httpPort}`, httpVersion: '1.1' as const };
  return {
    calls: {
      'gRPC by grpc-js': grpcCall(client),
      'Connect, binary': connectCall(createConnectTransport({ ...http, useBinaryFormat: true })),
      'Connect, JSON': connectCall(createConnectTransport({ ...http, useBinaryFormat: false })),
      'gRPC-Web': connectCall(createGrpcWebTransport(http)),
    },
    close: () => client.close(),
  };
}
