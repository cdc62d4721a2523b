// SPEC C2: what is served without node's parser is read as node's parser reads it, or left to it.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeServer, listen } from './http-server.ts';
import { headLength, MAX_HEAD_BYTES, readPlainHead } from './plain-head.ts';

const PATH = '/hongbao.v1.CouponService/ClaimCoupon';
const LINES = ['host: test', 'content-type: application/proto', 'content-length: 3'];

function headOf(lines: readonly string[] = LINES, requestLine = `POST ${PATH} HTTP/1.1`): Buffer {
  return Buffer.from(`${[requestLine, ...lines].join('\r\n')}\r\n\r\n`, 'latin1');
}

test('a plain head is read, whatever the case of its names and the space around its values', () => {
  const lines = [
    'Host:test',
    'Content-Type:   application/proto ',
    'CONTENT-LENGTH: 42',
    'connect-timeout-ms: 1500',
    'connect-protocol-version: 1',
    'authorization: Bearer a.b.c',
    'X-Hongbao-Identity: staff:alice',
    'traceparent: 00-1-2-01',
    'accept-language: zh-CN',
    'Connection: Keep-Alive',
    'user-agent: \ttest/1.0 (a; b)',
    'x-empty:',
  ];
  expect(readPlainHead(headOf(lines))).toEqual({
    path: PATH,
    contentLength: 42,
    timeoutMs: 1500,
    authorization: 'Bearer a.b.c',
    actAs: 'staff:alice',
    traceParent: '00-1-2-01',
    acceptLanguage: 'zh-CN',
  });
});

test('a head without a time-out gives all the time there is', () => {
  expect(readPlainHead(headOf())).toMatchObject({ contentLength: 3, timeoutMs: Infinity });
});

describe('left to node and the adapter:', () => {
  const without = (name: string): string[] => LINES.filter((line) => !line.startsWith(name));
  test.each<[string, Buffer]>([
    ['no host', headOf(without('host'))],
    ['no length', headOf(without('content-length'))],
    ['no type', headOf(without('content-type'))],
    ['another type', headOf([...without('content-type'), 'content-type: application/json'])],
    ['a type with parameters', headOf([...without('content-type'), 'content-type: application/proto; a=b'])],
    ['a length that is no number', headOf([...without('content-length'), 'content-length: +3'])],
    ['two lengths', headOf([...LINES, 'content-length: 3'])],
    ['two lengths in one', headOf([...without('content-length'), 'content-length: 3, 3'])],
    ['a header twice', headOf([...LINES, 'x-a: 1', 'X-A: 1'])],
    ['a length and chunks', headOf([...LINES, 'transfer-encoding: chunked'])],
    ['a compressed body', headOf([...LINES, 'content-encoding: gzip'])],
    ['a web page', headOf([...LINES, 'origin: https://shop.test'])],
    ['a client that asks first', headOf([...LINES, 'expect: 100-continue'])],
    ['another protocol', headOf([...LINES, 'upgrade: websocket'])],
    ['a connection that ends', headOf([...LINES, 'connection: close'])],
    ['a connection header that names another', headOf([...LINES, 'connection: keep-alive, content-length'])],
    ['a time-out that is no number', headOf([...LINES, 'connect-timeout-ms: 1s'])],
    ['a folded line', headOf([...LINES, 'x-a: 1', ' content-length: 9'])],
    ['a space before a colon', headOf([...LINES, 'content-length : 9'])],
    ['a name that is none', headOf([...LINES, 'content length: 9'])],
    ['a line without a colon', headOf([...LINES, 'content-length'])],
    ['a lone line feed', headOf([...LINES, 'x-a: 1\ncontent-length: 9'])],
    ['a lone carriage return', headOf([...LINES, 'x-a: 1\rcontent-length: 9'])],
    ['a control character', headOf([...LINES, 'x-a: \0'])],
    ['a character beyond ASCII', headOf([...LINES, 'x-a: \xe9'])],
    ['another method', headOf(LINES, `PUT ${PATH} HTTP/1.1`)],
    ['a query', headOf(LINES, `POST ${PATH}?a HTTP/1.1`)],
    ['a whole address', headOf(LINES, `POST http://test${PATH} HTTP/1.1`)],
    ['an older version', headOf(LINES, `POST ${PATH} HTTP/1.0`)],
    ['two spaces', headOf(LINES, `POST  ${PATH} HTTP/1.1`)],
    ['an empty line first', Buffer.concat([Buffer.from('\r\n'), headOf()])],
    ['HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\n')],
    ['a handshake of TLS', Buffer.from([22, 3, 1, 0, 250])],
  ])('%s', (_name, bytes) => {
    expect(readPlainHead(bytes)).toBeUndefined();
  });
});

describe('the end of a head', () => {
  test('is where its empty line ends', () => {
    const head = headOf();
    expect(headLength(Buffer.concat([head, Buffer.from('abc\r\n\r\n')]))).toBe(head.length);
  });

  test('is not there before all of it has come, nor beyond the limit', () => {
    expect(headLength(headOf().subarray(0, -1))).toBeUndefined();
    const padding = (bytes: number) => headOf([...LINES, `x: ${'a'.repeat(bytes)}`]);
    const longest = MAX_HEAD_BYTES - padding(0).length;
    expect(headLength(padding(longest))).toBe(MAX_HEAD_BYTES);
    expect(headLength(padding(longest + 1))).toBeUndefined();
  });
});

describe('beside node', () => {
  /** What node makes of the request that came last, and of how many. */
  let seen: { readonly request: IncomingMessage; readonly body: string }[] = [];
  const server = createServer({ maxHeaderSize: MAX_HEAD_BYTES }, (request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      seen.push({ request, body });
      response.end();
    });
  });
  let port = 0;
  beforeAll(async () => {
    port = await listen(server, { host: '127.0.0.1', port: 0 });
  });
  afterAll(() => closeServer(server));

  /** Sends bytes as they are; kept when node has answered all of them and closed. */
  async function askNode(bytes: Buffer): Promise<typeof seen> {
    seen = [];
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {}).resume();
    socket.write(bytes);
    const last = 'GET /last HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n';
    socket.write(last);
    await once(socket, 'close');
    return seen;
  }

  const name = fc.constantFrom(
    'host',
    'Host',
    'content-type',
    'content-length',
    'Content-Length',
    'connection',
    'authorization',
    'connect-timeout-ms',
    'transfer-encoding',
    'x-a',
    'traceparent',
    'content-length ',
    ' x',
    'x-ü',
    '',
    'keep-alive',
  );
  const value = fc.constantFrom(
    'test',
    'application/proto',
    '3',
    ' 3',
    '03',
    '3 ',
    '0x3',
    '3,3',
    '-3',
    'keep-alive',
    'close',
    'chunked',
    'identity',
    '',
    '\t',
    'a\tb',
    'é',
    '\x7f',
    'a\rb',
    'a\nb',
    'a\r\n b',
    'Bearer x',
  );
  const line = fc.tuple(name, fc.constantFrom(':', ': ', ' :', ''), value).map((parts) => parts.join(''));
  const ending = fc.constantFrom('\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r');
  const requestLine = fc.constantFrom(
    `POST ${PATH} HTTP/1.1`,
    `POST ${PATH} HTTP/1.1`,
    `POST ${PATH} HTTP/1.1`,
    `POST ${PATH}  HTTP/1.1`,
    `post ${PATH} HTTP/1.1`,
    `POST ${PATH} HTTP/1.1 `,
  );
  /** A good head with lines put in, doubled, taken out and ended wrongly. */
  const arbitraryHead = fc
    .tuple(
      requestLine,
      fc.array(fc.tuple(line, ending), { maxLength: 3 }),
      fc.shuffledSubarray(LINES, { minLength: 2 }),
      fc.array(fc.tuple(line, ending), { maxLength: 2 }),
    )
    .map(([first, before, good, after]) => {
      const text = [...before, ...good.map((one) => [one, '\r\n']), ...after].flat().join('');
      return Buffer.from(`${first}\r\n${text}\r\n`, 'latin1');
    });

  test('what is read as plain, node reads alike: same call, same length, same headers', async () => {
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(arbitraryHead, async (bytes) => {
        const length = headLength(bytes);
        const head = length === undefined ? undefined : readPlainHead(bytes.subarray(0, length));
        if (head === undefined) return;
        plain += 1;
        const body = 'x'.repeat(head.contentLength);
        const requests = await askNode(Buffer.concat([bytes.subarray(0, length), Buffer.from(body)]));
        expect(requests.map(({ request }) => request.url)).toEqual([head.path, '/last']);
        const [first] = requests;
        expect(first?.body).toBe(body);
        expect(first?.request.headers.authorization).toBe(head.authorization);
        expect(first?.request.headers.traceparent).toBe(head.traceParent);
        expect(Number(first?.request.headers['connect-timeout-ms'] ?? Infinity)).toBe(head.timeoutMs);
      }),
      { numRuns: 10_000 },
    );
    expect(plain).toBeGreaterThan(30);
  });
});
