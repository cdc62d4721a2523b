// Streams in both directions: order, flow control both ways, refusals, limits, callers that vanish.
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Refusal } from '../../src/domain/refusal.ts';
import { CouponService } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { type StreamHandler, stream } from '../../src/transport/binding.ts';
import { openStream } from './stream-client.ts';
import { echo, startTestTransport, type TestTransport } from './test-transport.ts';

const { streamClaimCoupons } = CouponService.method;
let server: TestTransport;
let handler: StreamHandler = echo;
let headers: Record<string, string>;

beforeAll(async () => {
  const binding = stream(streamClaimCoupons, (requests, context, write) => handler(requests, context, write));
  server = await startTestTransport({ bindings: [binding] });
  const token = await server.token({ sub: 'gateway', kind: 'service', scope: 'coupons:claim' });
  headers = { authorization: `Bearer ${token}` };
});
afterAll(() => server.transport.stop());

const open = (sent = headers) => openStream(server.addresses.grpcPort, streamClaimCoupons, sent);
const endsWith = (code: string) =>
  server.metrics.serverHandled.child('hongbao.v1.CouponService', 'StreamClaimCoupons', code);

test('messages come back in order, and the stream ends well', async () => {
  handler = echo;
  const messages = Array.from({ length: 500 }, (_, index) => Buffer.from([index >> 8, index & 255]));
  expect(await open().outcome(messages)).toEqual({ ok: messages.map((message) => message.toString('hex')) });
});

test('a refusal ends the stream with its details', async () => {
  handler = async (requests) => {
    for await (const _ of requests) throw new Refusal('INVALID_REQUEST', 'items[0]: no promotion');
  };
  expect(await open().outcome([Buffer.from('a')])).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: 'items[0]: no promotion',
    details: [{ reason: 'INVALID_REQUEST' }, { locale: 'en' }],
  });
});

test('a message above the limit ends the stream', async () => {
  handler = echo;
  expect(await open().outcome([Buffer.alloc(1_060_000)])).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    details: [{ reason: 'MESSAGE_TOO_LARGE' }, {}],
  });
});

test('without a token it does not begin', async () => {
  expect(await open({}).outcome([])).toMatchObject({ code: 'UNAUTHENTICATED' });
});

// SPEC C2
test('a handler that does not read holds the caller back', async () => {
  const gate = Promise.withResolvers<void>();
  let taken = 0;
  handler = async (requests) => {
    await gate.promise;
    for await (const message of requests) taken += message.length;
  };
  const { stream: calls, outcome } = open();
  const chunk = Buffer.alloc(60_000);
  let sent = 0;
  while (calls.write(chunk)) sent += 1;
  for (; sent < 200; sent += 1) calls.write(chunk);
  expect(calls.writableLength).toBeGreaterThan(0);
  gate.resolve();
  expect(await outcome([])).toEqual({ ok: [] });
  expect(taken).toBe((sent + 1) * chunk.length);
});

test('a caller that does not read holds the handler back', async () => {
  let written = 0;
  const done = Promise.withResolvers<void>();
  handler = async (_requests, _context, write) => {
    for (; written < 200; written += 1) await write(Buffer.alloc(60_000));
    done.resolve();
  };
  const { stream: calls } = open();
  await once(calls, 'metadata');
  const early = await Promise.race([
    done.promise.then(() => 'all'),
    new Promise((r) => setImmediate(r, 'held')),
  ]);
  expect(early).toBe('held');
  let received = 0;
  for await (const message of calls) received += Buffer.from(message).length;
  expect(received).toBe(200 * 60_000);
});

test('a caller that vanishes ends the handler', async () => {
  const began = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<boolean>();
  handler = async (requests, context, write) => {
    await write(Buffer.from('hello'));
    began.resolve();
    context.signal.addEventListener('abort', () => ended.resolve(true));
    for await (const _ of requests);
  };
  const before = endsWith('CANCELLED').value;
  const { stream: calls } = open();
  calls.on('error', () => {});
  await began.promise;
  calls.cancel();
  expect(await ended.promise).toBe(true);
  expect(endsWith('CANCELLED').value).toBe(before + 1);
});
