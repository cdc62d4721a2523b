/** A collector as far as tests need one: takes OTLP over HTTP on 127.0.0.1 and keeps the spans. */
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { closeServer, listen } from '../../src/transport/http-server.ts';

/** A span as it came. */
export interface SeenSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  /** As OTLP numbers them: 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly isError: boolean;
}

/** A running collector. */
export interface Collector {
  readonly url: string;
  readonly spans: readonly SeenSpan[];
  /** The status it answers with from now on; what it does not answer with 200 it does not keep. */
  status: number;
  close(): Promise<void>;
}

const ERROR_STATUS = 2;

/** Starts one. */
export async function startCollector(): Promise<Collector> {
  const spans: SeenSpan[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    if (collector.status === 200 && request.url === '/v1/traces') spans.push(...readRequest(body));
    response.writeHead(collector.status, { 'content-type': 'application/x-protobuf' }).end();
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  const collector: Collector = {
    url: `http://127.0.0.1:${port}`,
    spans,
    status: 200,
    async close() {
      const closed = closeServer(server);
      server.closeAllConnections();
      await closed;
    },
  };
  return collector;
}

type Fields = ReadonlyMap<number, readonly (Uint8Array | number)[]>;

/** The fields of a message by number: bytes, or a number where it is one. */
function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (Uint8Array | number)[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const value = type === 2 ? reader.bytes() : type === 0 ? Number(reader.int64()) : skip(reader, type);
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

function skip(reader: BinaryReader, type: number): number {
  reader.skip(type);
  return 0;
}

const messages = (fields: Fields, number: number): Fields[] =>
  (fields.get(number) ?? []).map((value) => fieldsOf(value instanceof Uint8Array ? value : new Uint8Array()));

const bytesOf = (fields: Fields, number: number): Buffer => {
  const [value] = fields.get(number) ?? [];
  return Buffer.from(value instanceof Uint8Array ? value : []);
};

const hex = (fields: Fields, number: number): string => bytesOf(fields, number).toString('hex');

function attributesOf(fields: Fields, number: number): Record<string, string> {
  return Object.fromEntries(
    messages(fields, number).map((pair) => {
      const [value = new Map()] = messages(pair, 2);
      const [text, ...others] = [1, 2, 3].map((kind) => value.get(kind)?.[0]);
      const shown = text instanceof Uint8Array ? Buffer.from(text).toString() : String(others.find(isGiven));
      return [bytesOf(pair, 1).toString(), shown];
    }),
  );
}

const isGiven = (value: unknown): boolean => value !== undefined;

function readRequest(body: Uint8Array): SeenSpan[] {
  return messages(fieldsOf(body), 1).flatMap((group) => {
    const [resource = new Map()] = messages(group, 1);
    const service = attributesOf(resource, 1)['hongbao.role'] ?? '';
    return messages(group, 2).flatMap((scope) => messages(scope, 2).map((span) => readSpan(span, service)));
  });
}

function readSpan(span: Fields, service: string): SeenSpan {
  const [status] = messages(span, 15);
  return {
    service,
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentId: hex(span, 4),
    name: bytesOf(span, 5).toString(),
    kind: Number(span.get(6)?.[0]),
    attributes: attributesOf(span, 9),
    links: messages(span, 13).map((link) => ({ traceId: hex(link, 1), spanId: hex(link, 2) })),
    isError: status?.get(3)?.[0] === ERROR_STATUS,
  };
}
