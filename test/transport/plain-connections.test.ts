// SPEC C2: plain calls over HTTP/1.1, however their bytes come, and what happens to a connection that others come on too.
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import {
  ClaimCouponRequestSchema,
  ClaimCouponResponseSchema,
  CouponService,
} from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { hot, pathOf } from '../../src/transport/binding.ts';
import { createAuthority } from '../security/certificates.ts';
import { startTestTransport, type TestTransport } from './test-transport.ts';

const CLAIM = pathOf(CouponService.method.claimCoupon);
const LARGE = 'large';
const LARGE_BYTES = 100_000;
/** More than two records of TLS, less than a message may have. */
const SEVERAL_RECORDS = 50_000;
/** Turns of the event loop after which a connection has taken what was written to it. */
const A_WHILE_MS = 20;

let server: TestTransport;
let gateway = '';
const served: string[] = [];
const sockets: Socket[] = [];

/** Answers with the promotion asked for, some of them only after a turn; `large` with more than one write takes. */
const claims = hot(CouponService.method.claimCoupon, (bytes, _context, reply) => {
  const { promotionId, requestId } = fromBinary(ClaimCouponRequestSchema, bytes);
  served.push(requestId);
  const couponId = promotionId === LARGE ? 'c'.repeat(LARGE_BYTES) : `coupon of ${requestId}`;
  const answer = toBinary(ClaimCouponResponseSchema, create(ClaimCouponResponseSchema, { couponId }));
  if (promotionId === 'later') setImmediate(() => reply(answer));
  else if (promotionId !== 'never') reply(answer);
});

beforeAll(async () => {
  server = await startTestTransport({ bindings: [claims], clock: Date.now });
  gateway = await server.token({ sub: 'gateway', kind: 'service', scope: 'coupons:claim' });
});
afterAll(() => server.transport.stop());
afterEach(() => {
  served.length = 0;
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function open(to = server): Promise<Socket> {
  const socket = connect(to.addresses.httpPort, '127.0.0.1');
  sockets.push(socket.on('error', () => {}));
  await once(socket, 'connect');
  return socket;
}

interface Claim {
  readonly promotionId?: string;
  readonly requestId?: string;
  readonly headers?: readonly string[];
  readonly token?: string;
}

function claimBytes({
  promotionId = 'spring',
  requestId = 'r-1',
  headers = [],
  token = gateway,
}: Claim): Buffer {
  const message = create(ClaimCouponRequestSchema, { promotionId, requestId, userId: 'alice' });
  const body = toBinary(ClaimCouponRequestSchema, message);
  const lines = [
    `POST ${CLAIM} HTTP/1.1`,
    'host: test',
    'content-type: application/proto',
    `content-length: ${body.length}`,
    `authorization: Bearer ${token}`,
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]);
}

/** The same as JSON, with so much space at its end. */
function jsonBytes(requestId: string, token = gateway, padding = 0): Buffer {
  const body = JSON.stringify({ promotionId: 'spring', requestId, userId: 'alice' }) + ' '.repeat(padding);
  const head = ['host: test', 'content-type: application/json', `content-length: ${body.length}`];
  return Buffer.from(
    [`POST ${CLAIM} HTTP/1.1`, ...head, `authorization: Bearer ${token}`, '', body].join('\r\n'),
  );
}

interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: Buffer;
}

/** Reads so many answers. */
async function answers(socket: Socket, count: number): Promise<Answer[]> {
  const found: Answer[] = [];
  let bytes = Buffer.alloc(0);
  const { promise, resolve } = Promise.withResolvers<void>();
  const read = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    for (let next = readAnswer(bytes); next !== undefined; next = readAnswer(bytes)) {
      found.push(next.answer);
      bytes = next.rest;
    }
    if (found.length >= count) resolve();
  };
  socket.on('data', read);
  await promise;
  socket.off('data', read);
  expect(bytes).toHaveLength(0);
  expect(found).toHaveLength(count);
  return found;
}

function readAnswer(bytes: Buffer): { answer: Answer; rest: Buffer<ArrayBuffer> } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  const headers = bytes.toString('latin1', 0, Math.max(0, end));
  const length = Number(/^content-length: (\d+)/im.exec(headers)?.[1]);
  const from = end + 4;
  if (end < 0 || bytes.length < from + length) return undefined;
  const body = bytes.subarray(from, from + length);
  const status = Number(headers.slice(9, 12));
  return { answer: { status, headers, body }, rest: Buffer.from(bytes.subarray(from + length)) };
}

function couponOf({ body }: Answer): string {
  return fromBinary(ClaimCouponResponseSchema, body).couponId;
}

test('an answer has what HTTP asks for', async () => {
  const socket = await open();
  socket.write(claimBytes({}));
  const [answer] = await answers(socket, 1);
  expect(answer?.headers.split('\r\n')).toEqual([
    'HTTP/1.1 200 OK',
    'content-type: application/proto',
    `content-length: ${answer?.body.length}`,
    expect.stringMatching(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/),
    'Connection: keep-alive',
    'Keep-Alive: timeout=75',
  ]);
});

test('calls sent ahead are all served and answered in their order, wherever their bytes are cut', async () => {
  const call = fc.record({
    promotionId: fc.constantFrom('spring', 'later', LARGE),
    headers: fc.constantFrom<string[]>([], ['connect-timeout-ms: 5000'], ['x-request-id: 7']),
    isJson: fc.constantFrom(false, false, false, false, true),
  });
  const cuts = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 6 }), cuts, async (calls, lengths) => {
      const bytes = Buffer.concat(
        calls.map(({ isJson, ...claim }, index) =>
          isJson ? jsonBytes(`r-${index}`) : claimBytes({ ...claim, requestId: `r-${index}` }),
        ),
      );
      served.length = 0;
      const socket = await open();
      socket.setNoDelay(true);
      const all = answers(socket, calls.length);
      let at = 0;
      for (const length of [...lengths, bytes.length]) {
        socket.write(bytes.subarray(at, at + length));
        at += length;
        await sleep(0);
      }
      const got = await all;
      expect(got.map(({ status }) => status)).toEqual(calls.map(() => 200));
      expect(served.toSorted()).toEqual(calls.map((_, index) => `r-${index}`));
      for (const [index, { isJson, promotionId }] of calls.entries()) {
        const answer = got[index];
        if (isJson) expect(answer?.body.toString()).toContain(`coupon of r-${index}`);
        else if (promotionId === LARGE) expect(answer && couponOf(answer)).toHaveLength(LARGE_BYTES);
        else expect(answer && couponOf(answer)).toBe(`coupon of r-${index}`);
      }
      socket.destroy();
    }),
    { numRuns: 150 },
  );
});

test('a body that comes after the refusal of its call is dropped, and the next call served', async () => {
  const socket = await open();
  const refused = claimBytes({ token: 'nobody', requestId: 'r-1' });
  const asked = answers(socket, 1);
  socket.write(refused.subarray(0, -3));
  expect((await asked)[0]?.status).toBe(401);
  const next = answers(socket, 1);
  socket.write(Buffer.concat([refused.subarray(-3), claimBytes({ requestId: 'r-2' })]));
  expect((await next).map(couponOf)).toEqual(['coupon of r-2']);
  expect(served).toEqual(['r-2']);
});

test('a body above the limit is refused by its header, and not waited for', async () => {
  const socket = await open();
  const head = claimBytes({})
    .toString('latin1')
    .replace(/content-length: \d+/, 'content-length: 9999999999');
  socket.write(head.slice(0, head.indexOf('\r\n\r\n') + 4));
  const [answer] = await answers(socket, 1);
  expect(answer?.body.toString()).toContain('MESSAGE_TOO_LARGE');
});

test('a connection is served on after a call that is not plain, which node answers', async () => {
  const socket = await open();
  for (const bytes of [claimBytes({}), jsonBytes('r-2'), claimBytes({ requestId: 'r-3' })]) {
    const asked = answers(socket, 1);
    socket.write(bytes);
    expect((await asked)[0]?.status).toBe(200);
  }
  expect(served).toEqual(['r-1', 'r-2', 'r-3']);
  const asked = answers(socket, 1);
  socket.write('GET /nothing HTTP/1.1\r\nhost: test\r\n\r\n');
  expect((await asked)[0]?.status).toBe(404);
});

test.each(['in one write', 'one by one'])(
  'over TLS too, with a request of several records, %s',
  async (how) => {
    const folder = mkdtempSync(join(tmpdir(), 'hongbao-tls-'));
    const authority = createAuthority();
    const own = authority.issue('DNS:localhost');
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    writeFileSync(files.cert, own.cert);
    writeFileSync(files.key, own.key);
    const secure = await startTestTransport({
      bindings: [claims],
      clock: Date.now,
      environment: { HONGBAO_TLS_CERT_FILE: files.cert, HONGBAO_TLS_KEY_FILE: files.key },
    });
    const token = await secure.token({ sub: 'gateway', kind: 'service', scope: 'coupons:claim' });
    const socket = connectTls({
      port: secure.addresses.httpPort,
      ca: authority.cert,
      servername: 'localhost',
    });
    sockets.push(socket);
    await once(socket, 'secureConnect');
    const calls = [
      claimBytes({ token }),
      claimBytes({ token, requestId: 'r-2' }),
      jsonBytes('r-3', token, SEVERAL_RECORDS),
      claimBytes({ token, requestId: 'r-4' }),
    ];
    const parts = how === 'one by one' ? calls : [Buffer.concat(calls)];
    for (const part of parts) {
      const asked = answers(socket, calls.length / parts.length);
      socket.write(part);
      expect((await asked).map(({ status }) => status)).toEqual(
        parts.length > 1 ? [200] : calls.map(() => 200),
      );
    }
    expect(served.toSorted()).toEqual(['r-1', 'r-2', 'r-3', 'r-4']);
    await secure.transport.stop();
  },
);

test.each([
  ['no request at all', 'what is this?\r\n\r\n', 400],
  ['headers beyond the limit', `POST ${CLAIM} HTTP/1.1\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
])('%s gets the answer of node', async (_name, text, status) => {
  const socket = await open();
  socket.write(text);
  const [bytes] = await once(socket, 'data');
  expect(String(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test('a caller that goes away while its call is under way leaves no place taken', async () => {
  const socket = await open();
  socket.write(claimBytes({ promotionId: 'never', requestId: 'r-1' }));
  await vi.waitFor(() => expect(served).toEqual(['r-1']));
  socket.destroy();
  await vi.waitFor(() => expect(inFlight()).toBe(0));
});

test('a connection that breaks within a body carries nothing out', async () => {
  const socket = await open();
  socket.write(claimBytes({}).subarray(0, -1));
  await vi.waitFor(() => expect(inFlight()).toBe(1));
  socket.destroy();
  await vi.waitFor(() => expect(inFlight()).toBe(0));
  expect(served).toEqual([]);
});

test('nobody is answered who has closed one half of the connection, as with node', async () => {
  const socket = await open();
  socket.end(claimBytes({ promotionId: 'never' }));
  await once(socket, 'close');
  await vi.waitFor(() => expect(inFlight()).toBe(0));
});

test('a caller that goes away before it is known who it is leaves no place taken', async () => {
  const socket = await open();
  const token = await server.token({ sub: 'newcomer', kind: 'service', scope: 'coupons:claim' });
  socket.end(claimBytes({ token }));
  await once(socket, 'close');
  await vi.waitFor(() => expect(inFlight()).toBe(0));
  expect(served).toEqual([]);
});

test('calls sent ahead wait for the answers before them', async () => {
  const socket = await open();
  socket.write(Buffer.concat([claimBytes({ promotionId: 'never' }), claimBytes({ requestId: 'r-2' })]));
  await vi.waitFor(() => expect(served).toEqual(['r-1']));
  await sleep(A_WHILE_MS);
  expect(served).toEqual(['r-1']);
});

test('when connections are shed, an answer is the last one of its connection', async () => {
  const leaving = await startTestTransport({
    bindings: [claims],
    clock: Date.now,
    environment: {
      HONGBAO_AUTH: 'off',
      HONGBAO_DEVELOPMENT: 'embedded',
      HONGBAO_DRAIN_READINESS_DELAY_MS: '200',
    },
  });
  const [busy, idle] = [await open(leaving), await open(leaving)];
  const drained = leaving.transport.drain();
  const closed = Promise.all([once(busy, 'close'), once(idle, 'close')]);
  const asked = answers(busy, 1);
  busy.write(Buffer.concat([claimBytes({}), claimBytes({ requestId: 'r-2' })]));
  expect((await asked)[0]?.headers).toContain('Connection: close');
  idle.resume();
  await closed;
  await drained;
  expect(served).toEqual(['r-1']);
  await leaving.transport.stop();
});

test('connections that say nothing, and bodies that do not come, are cut after their time', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const slow = await startTestTransport({ bindings: [claims], clock: Date.now });
  const token = await slow.token({ sub: 'gateway', kind: 'service', scope: 'coupons:claim' });
  const [silent, halfway, idle] = [await open(slow), await open(slow), await open(slow)];
  const asked = answers(idle, 1);
  idle.write(claimBytes({ token }));
  expect((await asked)[0]?.status).toBe(200);
  halfway.write(claimBytes({ token, headers: ['connect-timeout-ms: 1'] }).subarray(0, -1));
  expect((await answers(halfway, 1))[0]?.status).toBe(504);
  const closed = new Set<Socket>();
  for (const socket of [silent, halfway, idle]) socket.resume().on('close', () => closed.add(socket));

  vi.advanceTimersByTime(10_000);
  await sleep(A_WHILE_MS);
  expect(closed.size).toBe(0);
  vi.advanceTimersByTime(1_000);
  await vi.waitFor(() => expect([...closed]).toEqual([silent]));
  vi.advanceTimersByTime(50_000);
  await vi.waitFor(() => expect([...closed]).toEqual([silent, halfway]));
  vi.advanceTimersByTime(14_000);
  await sleep(A_WHILE_MS);
  expect(closed.has(idle)).toBe(false);
  vi.advanceTimersByTime(1_000);
  await vi.waitFor(() => expect(closed.has(idle)).toBe(true));
  vi.useRealTimers();
  await slow.transport.stop();
});

function inFlight(): number {
  return server.metrics.serverInFlight.read();
}
