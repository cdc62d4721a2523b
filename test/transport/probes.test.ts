// Health over gRPC, probes and metrics over HTTP, and web pages of other origins.
import { promisify } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClaimCouponRequestSchema, CouponService } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { SERVICES } from '../../src/transport/services.ts';
import { startTestTransport, type TestTransport } from './test-transport.ts';
import { wireCalls } from './wire-clients.ts';

let server: TestTransport;
let client: Client;
beforeAll(async () => {
  server = await startTestTransport({ environment: { HONGBAO_HTTP_CORS_ORIGINS: 'https://shop.test' } });
  client = new Client(`127.0.0.1:${server.addresses.grpcPort}`, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await server.transport.stop();
});

const { Check, Watch } = healthService;
const ops = (path: string) => fetch(`http://127.0.0.1:${server.addresses.opsPort}${path}`);

/** The health of a service as a client reads it. */
async function check(service: string): Promise<unknown> {
  if (Check === undefined) throw new Error('No Check');
  const call = promisify<object, { status: unknown }>((request, done) =>
    client.makeUnaryRequest(
      Check.path,
      Check.requestSerialize,
      Check.responseDeserialize,
      request,
      (error, response) => done(error, Object(response)),
    ),
  );
  return (await call({ service })).status;
}

describe('health over gRPC', () => {
  test.each(['', 'readiness', ...SERVICES.map(({ typeName }) => typeName)])('of "%s"', async (name) => {
    expect(await check(name)).toBe('SERVING');
  });

  test('of a service that does not exist', async () => {
    await expect(check('hongbao.v1.NoService')).rejects.toMatchObject({ code: 5 });
  });

  test('a watcher hears of every change', async () => {
    if (Watch === undefined) throw new Error('No Watch');
    const stream = client.makeServerStreamRequest(
      Watch.path,
      Watch.requestSerialize,
      Watch.responseDeserialize,
      {
        service: 'readiness',
      },
    );
    stream.on('error', () => {});
    const seen: unknown[] = [];
    for await (const message of stream) {
      seen.push(Object(message).status);
      if (seen.length === 1) server.setReady(false);
      if (seen.length === 2) server.setReady(true);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(['SERVING', 'NOT_SERVING', 'SERVING']);
  });
});

describe('the ops port', () => {
  test('is live, and ready when the process is', async () => {
    expect((await ops('/livez')).status).toBe(200);
    expect((await ops('/readyz')).status).toBe(200);
    server.setReady(false);
    expect((await ops('/readyz')).status).toBe(503);
    expect((await ops('/livez')).status).toBe(200);
    server.setReady(true);
  });

  test('shows details and nothing else', async () => {
    expect(await (await ops('/healthz/details')).json()).toEqual({ ready: true, durable: true });
    expect((await ops('/')).status).toBe(404);
  });

  // SPEC C5
  test('counts calls by method and code, whatever the protocol', async () => {
    const { calls, close } = wireCalls(server.addresses);
    const token = await server.token({ sub: 'gateway', kind: 'service', scope: 'coupons:claim' });
    const handled = (code: string) =>
      server.metrics.serverHandled.child('hongbao.v1.CouponService', 'ClaimCoupon', code).value;
    const before = ['OK', 'FAILED_PRECONDITION', 'UNAUTHENTICATED'].map(handled);
    for (const call of Object.values(calls)) {
      const claim = (promotionId: string, authorization: string) =>
        call(CouponService.method.claimCoupon, create(ClaimCouponRequestSchema, { promotionId }), {
          authorization,
        });
      await claim('spring', `Bearer ${token}`);
      await claim('sold-out', `Bearer ${token}`);
      await claim('spring', 'Bearer none');
    }
    close();
    const after = ['OK', 'FAILED_PRECONDITION', 'UNAUTHENTICATED'].map(handled);
    expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual([4, 4, 4]);
    const text = await (await ops('/metrics')).text();
    const labels = 'grpc_service="hongbao.v1.CouponService",grpc_method="ClaimCoupon"';
    expect(text).toContain(`grpc_server_handled_total{${labels},grpc_code="OK"} ${after[0]}`);
    expect(text).toContain(
      `grpc_server_started_total{${labels}} ${after.reduce((sum, count) => sum + count)}`,
    );
  });
});

describe('web pages', () => {
  const url = () => `http://127.0.0.1:${server.addresses.httpPort}/hongbao.v1.CouponService/ClaimCoupon`;

  test('of a listed origin may call', async () => {
    const headers = { origin: 'https://shop.test', 'access-control-request-method': 'POST' };
    const preflight = await fetch(url(), { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://shop.test');
    const allowed = preflight.headers.get('access-control-allow-headers')?.split(', ');
    expect(allowed).toEqual(expect.arrayContaining(['authorization', 'traceparent']));
    const call = await fetch(url(), {
      method: 'POST',
      body: '{}',
      headers: { origin: 'https://shop.test', 'content-type': 'application/json' },
    });
    expect([call.status, call.headers.get('access-control-allow-origin')]).toEqual([
      401,
      'https://shop.test',
    ]);
  });

  test('of other origins may not', async () => {
    const answer = await fetch(url(), { method: 'OPTIONS', headers: { origin: 'https://evil.test' } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

// SPEC S1
test.each([
  ['true', 'the list of services'],
  ['false', 12],
])('HONGBAO_GRPC_REFLECTION=%s: who asks for the contract gets %s', async (reflection, expected) => {
  const other = await startTestTransport({ environment: { HONGBAO_GRPC_REFLECTION: reflection } });
  const asking = new Client(`127.0.0.1:${other.addresses.grpcPort}`, credentials.createInsecure());
  const asIs = (bytes: Buffer): Buffer => bytes;
  const call = asking.makeBidiStreamRequest(
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    asIs,
    asIs,
  );
  const { promise: answer, resolve } = Promise.withResolvers<unknown>();
  call.on('data', () => resolve('the list of services'));
  call.on('error', ({ code }: { code?: number }) => resolve(code));
  // list_services of everything.
  call.end(Buffer.from([0x3a, 0x01, 0x2a]));
  expect(await answer).toBe(expected);
  asking.close();
  await other.transport.stop();
});
