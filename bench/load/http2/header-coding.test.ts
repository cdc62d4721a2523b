import { createServer, type ServerHttp2Stream } from 'node:http2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Http2Connection } from './connection.ts';
import { type Header, HeaderDecoder } from './header-decoder.ts';
import { encodeRequestHeaders } from './header-encoder.ts';

/** Node's own server (nghttp2) is the judge of what is sent, and sends back everything it understood. */
const server = createServer();
let port = 0;

beforeAll(async () => {
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const received: Buffer[] = [];
    stream.on('data', (piece: Buffer) => received.push(piece));
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'x-text': String(headers['x-text']) }, { waitForTrailers: true });
      stream.on('wantTrailers', () =>
        stream.sendTrailers({ 'grpc-status': '0', 'x-seen': String(headers.authorization) }),
      );
      stream.end(Buffer.concat(received));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address !== null && typeof address === 'object') port = address.port;
});

afterAll(() => server.close());

interface Answer {
  readonly headers: readonly Header[];
  readonly body: string;
}

function exchange(text: string, messages: readonly Buffer[]): Promise<Answer[]> {
  const answers = messages.map((): { headers: Header[]; body: string } => ({ headers: [], body: '' }));
  const { promise, resolve, reject } = Promise.withResolvers<Answer[]>();
  const byStream = new Map<number, { headers: Header[]; body: string }>();
  let open = messages.length;
  const connection = new Http2Connection('127.0.0.1', port, requestHeaders(text), {
    data: (streamId, bytes) => {
      const answer = byStream.get(streamId);
      if (answer !== undefined) answer.body += bytes.toString('latin1');
    },
    headers: (streamId, headers, ended) => {
      byStream.get(streamId)?.headers.push(...headers);
      if (ended) open -= 1;
      if (open === 0) resolve(answers);
    },
    reset: (_streamId, code) => reject(new Error(`reset ${code}`)),
    goAway: () => reject(new Error('the server does not like this connection')),
    closed: (error) => reject(error ?? new Error('closed')),
  });
  messages.forEach((message, index) => {
    const answer = answers[index];
    if (answer !== undefined) byStream.set(connection.request(message, true), answer);
  });
  return promise.finally(() => connection.destroy());
}

function requestHeaders(text: string): Header[] {
  return [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', '/a.B/C'],
    [':authority', '127.0.0.1'],
    ['authorization', `Bearer ${'t'.repeat(300)}`],
    ['x-text', text],
  ];
}

const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
  .join('')
  .trim();

test('every printable character survives both ways, in the first call and in later ones', async () => {
  const answers = await exchange(PRINTABLE, [Buffer.from('one'), Buffer.from('two'), Buffer.from('three')]);
  expect(answers.map(({ body }) => body)).toEqual(['one', 'two', 'three']);
  for (const { headers } of answers) {
    expect(Object.fromEntries(headers)).toMatchObject({
      ':status': '200',
      'x-text': PRINTABLE,
      'grpc-status': '0',
      'x-seen': `Bearer ${'t'.repeat(300)}`,
    });
  }
});

test('messages larger than every window arrive whole', async () => {
  const large = Buffer.alloc(60_000, 'x');
  const answers = await exchange('large', [large, large, large, large]);
  expect(answers.map(({ body }) => body.length)).toEqual([60_000, 60_000, 60_000, 60_000]);
});

test('values that no longer fit push the oldest out of the table', async () => {
  const messages = Array.from({ length: 30 }, () => Buffer.from('x'));
  const answers = await exchange('y'.repeat(3_000), messages);
  expect(
    answers.every(({ headers }) =>
      headers.some(([name, value]) => name === 'x-text' && value.length === 3_000),
    ),
  ).toBe(true);
});

test('fields that travel as text do so in every call; the others shrink to one byte', () => {
  const { first, repeated } = encodeRequestHeaders(requestHeaders('plain'));
  expect(repeated.includes('t'.repeat(300))).toBe(true);
  expect(repeated.includes('plain')).toBe(false);
  const decoder = new HeaderDecoder();
  expect(decoder.decode(first)).toEqual(requestHeaders('plain'));
  expect(decoder.decode(repeated)).toEqual(requestHeaders('plain'));
});

test('a block that ends inside a string is refused', () => {
  expect(() => new HeaderDecoder().decode(Buffer.from([0x40, 0x05, 0x61]))).toThrow(/ends inside/);
});
