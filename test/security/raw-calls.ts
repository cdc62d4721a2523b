/** Calls that no client library would make: any bytes, on every way in, and what the service answers in one shape. */
import { gzipSync } from 'node:zlib';
import type { DescMethod } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { pathOf } from '../../src/transport/binding.ts';
import { codeName } from '../transport/wire-clients.ts';

/** How a call ended: `OK`, the name of a code, or what became of the connection. */
export interface RawAnswer {
  readonly code: string;
  readonly message: string;
  readonly body?: Buffer;
}

/** Sends a body to a method. */
export type RawCall = (
  method: DescMethod,
  body: Buffer,
  headers?: Readonly<Record<string, string>>,
) => Promise<RawAnswer>;

/** Where the service listens. */
export interface Ports {
  readonly grpcPort: number;
  readonly httpPort: number;
}

const TIMEOUT_MS = 1_500;
/** Longer than the service may take, so that its answer and not our patience is seen. */
const PATIENCE_MS = 15_000;

const asIs = (bytes: Buffer): Buffer => bytes;

/** A frame of gRPC around a message. */
export function framed(message: Buffer, flags = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Every way in that takes binary messages, and `json`. `close` ends the connections. */
export function rawCalls({ grpcPort, httpPort }: Ports): {
  binary: Readonly<Record<string, RawCall>>;
  json: RawCall;
  close(): void;
} {
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  const post = (contentType: string, more: Record<string, string> = {}): RawCall => {
    return (method, body, headers = {}) =>
      posted(httpPort, method, body, { 'content-type': contentType, ...more, ...headers });
  };
  const zipped = post('application/proto', { 'content-encoding': 'gzip' });
  const web = post('application/grpc-web+proto', { 'grpc-timeout': `${TIMEOUT_MS}m` });
  return {
    binary: {
      gRPC: grpcCall(client),
      'Connect, straight': post('application/proto'),
      'Connect, by the adapter': post('application/proto', { origin: 'https://page.example' }),
      'Connect, compressed': (method, body, headers) => zipped(method, gzipSync(body), headers),
      'gRPC-Web': (method, body, headers) => web(method, framed(body), headers),
    },
    json: post('application/json'),
    close: () => client.close(),
  };
}

/** Streams too: what comes first decides. */
function grpcCall(client: Client): RawCall {
  return (method, body, headers = {}) => {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    const options = { deadline: Date.now() + TIMEOUT_MS };
    return new Promise((resolve) => {
      const failed = ({ code, details }: ServiceError) => resolve({ code: codeName(code), message: details });
      if (method.methodKind === 'unary') {
        client.makeUnaryRequest(pathOf(method), asIs, asIs, body, metadata, options, (error, answer) => {
          if (error === null) resolve({ code: 'OK', message: '', ...(answer && { body: answer }) });
          else failed(error);
        });
        return;
      }
      const stream = client.makeBidiStreamRequest(pathOf(method), asIs, asIs, metadata, options);
      stream.on('data', () => undefined);
      stream.on('error', (error: ServiceError) => failed(error));
      stream.on('end', () => resolve({ code: 'OK', message: '' }));
      stream.end(body);
    });
  };
}

async function posted(
  port: number,
  method: DescMethod,
  body: Buffer,
  headers: Record<string, string>,
): Promise<RawAnswer> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${pathOf(method)}`, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: { 'connect-timeout-ms': String(TIMEOUT_MS), ...headers },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    if (headers['content-type']?.startsWith('application/grpc-web') === true)
      return webAnswer(response, bytes);
    return response.status === 200
      ? { code: 'OK', message: '', body: bytes }
      : connectAnswer(response, bytes);
  } catch (error) {
    return { code: 'CONNECTION', message: String(error) };
  }
}

function connectAnswer({ status }: Response, bytes: Buffer): RawAnswer {
  try {
    const { code, message } = Object(JSON.parse(bytes.toString()));
    return { code: String(code).toUpperCase().replace('CANCELED', 'CANCELLED'), message: String(message) };
  } catch {
    return { code: `HTTP ${status}`, message: bytes.toString() };
  }
}

function webAnswer({ status, headers }: Response, bytes: Buffer): RawAnswer {
  const trailers = bytes.toString('latin1');
  const code = headers.get('grpc-status') ?? /grpc-status: *(\d+)/i.exec(trailers)?.[1];
  if (code === undefined) return { code: `HTTP ${status}`, message: trailers };
  const message = headers.get('grpc-message') ?? /grpc-message: *([^\r\n]*)/i.exec(trailers)?.[1] ?? '';
  return { code: codeName(Number(code)), message };
}
