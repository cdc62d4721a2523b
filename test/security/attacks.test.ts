// Attacks on the servers themselves. Each is survived, others are served meanwhile, and nothing piles up. F29, F30; SPEC S1
import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClaimCouponRequestSchema, CouponService } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { pathOf } from '../../src/transport/binding.ts';
import { SILENT, startTestTransport, type TestTransport } from '../transport/test-transport.ts';
import { wireCalls } from '../transport/wire-clients.ts';
import { framed } from './raw-calls.ts';

const CLAIM = CouponService.method.claimCoupon;
let server: TestTransport;
let ways: ReturnType<typeof wireCalls>;
let authorization = '';

beforeAll(async () => {
  server = await startTestTransport({
    clock: Date.now,
    environment: { HONGBAO_RATE_USER_PER_SECOND: '0', HONGBAO_LIMITS_DEFAULT_DEADLINE_MS: '1500' },
  });
  ways = wireCalls(server.addresses);
  authorization = `Bearer ${await server.token({ sub: 'gateway', kind: 'service', scope: 'coupons:claim' })}`;
});
afterAll(async () => {
  ways.close();
  await server.transport.stop();
});

const claim = (promotionId: string, userId = 'alice') =>
  create(ClaimCouponRequestSchema, { promotionId, userId, requestId: 'r-1' });

async function everyWayServes(): Promise<void> {
  for (const [way, call] of Object.entries(ways.calls))
    expect(await call(CLAIM, claim('spring'), { authorization }), way).toHaveProperty('ok');
}

const body = framed(Buffer.from(toBinary(ClaimCouponRequestSchema, claim(SILENT))));
const headers = () => ({
  ':method': 'POST',
  ':path': pathOf(CLAIM),
  'content-type': 'application/grpc',
  te: 'trailers',
  authorization,
});

describe('streams that are opened and cancelled', () => {
  test('by the thousand: the connection is ended, others go on, and nothing stays under way', async () => {
    const session = connectHttp2(`http://127.0.0.1:${server.addresses.grpcPort}`);
    session.on('error', () => undefined);
    const closed = new Promise((resolve) => session.once('close', resolve));
    for (let round = 0; round < 40 && !session.destroyed; round += 1) {
      for (let opened = 0; opened < 250 && !session.destroyed && !session.closed; opened += 1) {
        const stream = session.request(headers());
        stream.on('error', () => undefined);
        stream.end(body);
        stream.close(constants.NGHTTP2_CANCEL);
      }
      await sleep(5);
      if (round % 10 === 0) await everyWayServes();
    }
    await Promise.race([closed, sleep(2000)]);
    expect(session.destroyed || session.closed).toBe(true);
    await vi.waitFor(() => expect(server.metrics.serverInFlight.read()).toBe(0), { timeout: 5000 });
    await everyWayServes();
  });

  test('without a body: their places are free again when their time is up', async () => {
    const session = connectHttp2(`http://127.0.0.1:${server.addresses.grpcPort}`);
    session.on('error', () => undefined);
    const streams = Array.from({ length: 100 }, () =>
      session
        .request(headers())
        .on('error', () => undefined)
        .resume(),
    );
    await vi.waitFor(() => expect(server.metrics.serverInFlight.read()).toBe(100), { timeout: 5000 });
    expect(streams.filter(({ destroyed }) => destroyed)).toEqual([]);
    await vi.waitFor(() => expect(server.metrics.serverInFlight.read()).toBe(0), { timeout: 5000 });
    session.destroy();
  });

  test('of calls that are under way: each is forgotten at once', async () => {
    const sessions = [1, 2].map(() => connectHttp2(`http://127.0.0.1:${server.addresses.grpcPort}`));
    for (const session of sessions) session.on('error', () => undefined);
    const streams = sessions.flatMap((session) =>
      Array.from({ length: 100 }, () => {
        const stream = session.request(headers());
        stream.on('error', () => undefined);
        stream.end(body);
        return stream;
      }),
    );
    await vi.waitFor(() => expect(server.metrics.serverInFlight.read()).toBe(200), { timeout: 5000 });
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    await vi.waitFor(() => expect(server.metrics.serverInFlight.read()).toBe(0), { timeout: 5000 });
    for (const session of sessions) session.destroy();
    await everyWayServes();
  });
});

describe('connections that say little', () => {
  test('hundreds of them, half of a request each, keep nobody out', async () => {
    const openings = [
      'POST /hongbao.v1.CouponService/ClaimCoupon HTTP/1.1\r\nHost: a\r\nX-Slow: ',
      'PRI * HTTP/2.0\r\n',
      '',
    ];
    const sockets: Socket[] = [];
    for (let index = 0; index < 300; index += 1) {
      const { grpcPort, httpPort } = server.addresses;
      const socket = connectTcp(index % 2 === 0 ? grpcPort : httpPort, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(openings[index % 3] ?? '');
      sockets.push(socket);
    }
    await everyWayServes();
    for (const socket of sockets) socket.destroy();
  });

  test('more of them than are allowed are closed at once', async () => {
    const small = await startTestTransport({
      environment: { HONGBAO_GRPC_MAX_CONNECTIONS: '2', HONGBAO_HTTP_MAX_CONNECTIONS: '2' },
    });
    for (const port of [small.addresses.grpcPort, small.addresses.httpPort]) {
      const sockets = Array.from({ length: 3 }, () => connectTcp(port, '127.0.0.1'));
      const ended = sockets.map((socket) => once(socket.on('error', () => undefined).resume(), 'close'));
      await Promise.race(ended);
      await vi.waitFor(() => expect(sockets.filter(({ destroyed }) => destroyed)).toHaveLength(1));
      for (const socket of sockets) socket.destroy();
    }
    await small.transport.stop();
  });

  test('a connection without calls is closed after its time', async () => {
    const idle = await startTestTransport({ environment: { HONGBAO_CONNECTIONS_MAX_IDLE_MS: '1000' } });
    const session = connectHttp2(`http://127.0.0.1:${idle.addresses.grpcPort}`);
    session.on('error', () => undefined);
    await new Promise((resolve) => session.once('close', resolve));
    expect(session.destroyed).toBe(true);
    await idle.transport.stop();
  });
});

describe('headers', () => {
  test('without end are refused on the gRPC port too', async () => {
    const session = connectHttp2(`http://127.0.0.1:${server.addresses.grpcPort}`);
    session.on('error', () => undefined);
    const stream = session.request({ ...headers(), 'x-padding': 'p'.repeat(60_000) });
    stream.on('error', () => undefined);
    let status: unknown;
    stream.on('response', (head) => {
      status = head['grpc-status'] ?? head[':status'];
    });
    stream.resume();
    stream.end(body);
    await Promise.race([once(stream, 'close'), sleep(500)]);
    expect(status).not.toBe('0');
    session.destroy();
    await everyWayServes();
  });
});

describe('names of JSON that mean something to JavaScript', () => {
  test.each(['__proto__', 'constructor', 'prototype'])('%s changes nothing', async (name) => {
    const json = `{"${name}":{"isAdmin":true,"scopes":["x"]},"promotionId":"spring","userId":"alice","requestId":"r-1"}`;
    const response = await fetch(`http://127.0.0.1:${server.addresses.httpPort}${pathOf(CLAIM)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: json,
    });
    // Fields nobody knows are passed over, as newer clients need.
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ promotionId: 'alice' });
    expect(Object.hasOwn(Object.prototype, 'isAdmin')).toBe(false);
    await everyWayServes();
  });
});

describe('too many calls', () => {
  test('of one user: refused with the time to wait on every way, and others are served', async () => {
    const limited = await startTestTransport({
      environment: { HONGBAO_RATE_USER_PER_SECOND: '1', HONGBAO_RATE_USER_BURST: '1' },
    });
    const token = `Bearer ${await limited.token({ sub: 'gateway', kind: 'service', scope: 'coupons:claim' })}`;
    const own = wireCalls(limited.addresses);
    for (const [way, call] of Object.entries(own.calls)) {
      const user = `user-of-${way.replaceAll(/[^a-zA-Z]/g, '')}`;
      expect(await call(CLAIM, claim('spring', user), { authorization: token })).toHaveProperty('ok');
      const refused = await call(CLAIM, claim('spring', user), { authorization: token });
      expect(refused).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
      expect(JSON.stringify(refused)).toMatch(/RATE_LIMITED.*RetryInfo/s);
      expect(await call(CLAIM, claim('spring', `${user}-2`), { authorization: token })).toHaveProperty('ok');
    }
    own.close();
    await limited.transport.stop();
  });

  test('at a time: refused before the body is read, and room is made by those that end', async () => {
    const small = await startTestTransport({ environment: { HONGBAO_LIMITS_MAX_IN_FLIGHT: '1' } });
    const token = `Bearer ${await small.token({ sub: 'gateway', kind: 'service', scope: 'coupons:claim' })}`;
    const own = wireCalls(small.addresses);
    const session = connectHttp2(`http://127.0.0.1:${small.addresses.grpcPort}`);
    const held = session.request({ ...headers(), authorization: token });
    held.on('error', () => undefined);
    held.end(body);
    await vi.waitFor(() => expect(small.metrics.serverInFlight.read()).toBe(1), { timeout: 5000 });
    for (const call of Object.values(own.calls)) {
      const refused = await call(CLAIM, claim('spring'), { authorization: token });
      expect(refused).toMatchObject({ code: 'UNAVAILABLE' });
      expect(JSON.stringify(refused)).toMatch(/SERVER_OVERLOADED.*RetryInfo/s);
    }
    held.close(constants.NGHTTP2_CANCEL);
    await vi.waitFor(() => expect(small.metrics.serverInFlight.read()).toBe(0), { timeout: 5000 });
    expect(await own.calls['gRPC-Web']?.(CLAIM, claim('spring'), { authorization: token })).toHaveProperty(
      'ok',
    );
    session.destroy();
    own.close();
    await small.transport.stop();
  });
});
