// Leaving under load: calls that had begun are answered, clients go elsewhere, nobody sees an error.
// SPEC C7: what a rolling deployment relies on.
import { Agent, request as httpRequest } from 'node:http';
import { create, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { ClaimCouponRequestSchema, CouponService } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { type Binding, hot } from '../../src/transport/binding.ts';
import { startTestTransport, type TestTransport } from './test-transport.ts';

const CLAIM = '/hongbao.v1.CouponService/ClaimCoupon';
const body = Buffer.from(
  toBinary(
    ClaimCouponRequestSchema,
    create(ClaimCouponRequestSchema, { promotionId: 'spring', requestId: 'r' }),
  ),
);
const running: TestTransport[] = [];

/** A server without authentication, so that two of them serve the same caller. */
async function start(binding: Binding, environment: Record<string, string> = {}): Promise<TestTransport> {
  const open = {
    HONGBAO_AUTH: 'off',
    HONGBAO_DEVELOPMENT: 'embedded',
    HONGBAO_DRAIN_READINESS_DELAY_MS: '50',
  };
  const server = await startTestTransport({ bindings: [binding], environment: { ...open, ...environment } });
  running.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ transport }) => transport.stop()));
});

/** Answers each claim some turns of the event loop later, as a real one would. */
const slowClaims = hot(CouponService.method.claimCoupon, (_request, _context, reply) => {
  setTimeout(() => reply(Buffer.from('answer')), 5);
});

interface Tally {
  answered: number;
  readonly failures: string[];
}

/** Keeps `width` calls under way until told to stop; a call that starts after `stop` is none. */
function keepCalling(width: number, call: () => Promise<void>): { tally: Tally; stop(): Promise<void> } {
  const tally: Tally = { answered: 0, failures: [] };
  let isStopped = false;
  const loop = async (): Promise<void> => {
    while (!isStopped) {
      await call().then(
        () => {
          tally.answered += 1;
        },
        (error: unknown) => tally.failures.push(String(error)),
      );
    }
  };
  const loops = Array.from({ length: width }, loop);
  return {
    tally,
    async stop() {
      isStopped = true;
      await Promise.all(loops);
    },
  };
}

async function untilAnswered(tally: Tally, count: number): Promise<void> {
  while (tally.answered < count) await new Promise((resolve) => setImmediate(resolve));
}

function grpcClaim(client: Client): Promise<void> {
  const asIs = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(CLAIM, asIs, asIs, body, (error) => (error === null ? resolve() : reject(error)));
  });
}

test('gRPC clients that honour GOAWAY lose no call when one of two servers leaves', async () => {
  const [leaving, staying] = [await start(slowClaims), await start(slowClaims)];
  // Two addresses behind one name, as a headless service gives them.
  const target = `ipv4:127.0.0.1:${leaving.addresses.grpcPort},127.0.0.1:${staying.addresses.grpcPort}`;
  const client = new Client(target, credentials.createInsecure(), {
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  });
  const { tally, stop } = keepCalling(64, () => grpcClaim(client));
  await untilAnswered(tally, 500);
  await leaving.transport.drain();
  await untilAnswered(tally, tally.answered + 500);
  await stop();
  client.close();
  expect(tally.failures).toEqual([]);
  const served = [leaving, staying].map(
    ({ metrics }) => metrics.serverHandled.child('hongbao.v1.CouponService', 'ClaimCoupon', 'OK').value,
  );
  expect(Math.min(...served)).toBeGreaterThan(100);
});

function httpClaim(agent: Agent, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/proto', 'content-length': body.length };
    const request = httpRequest({ agent, port, host: '127.0.0.1', path: CLAIM, method: 'POST', headers });
    request.on('error', reject);
    request.on('response', (response) => {
      response.resume();
      if (response.statusCode === 200) response.on('end', resolve);
      else reject(new Error(`status ${response.statusCode}`));
    });
    request.end(body);
  });
}

test('HTTP clients with kept-alive connections lose no call when their balancer moves them', async () => {
  const patient = { HONGBAO_DRAIN_READINESS_DELAY_MS: '3000' };
  const [leaving, staying] = [await start(slowClaims, patient), await start(slowClaims)];
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  let port = leaving.addresses.httpPort;
  const { tally, stop } = keepCalling(64, () => httpClaim(agent, port));
  await untilAnswered(tally, 500);
  const drained = leaving.transport.drain();
  // The balancer sees "not ready" some calls later, within the readiness delay.
  await untilAnswered(tally, tally.answered + 100);
  expect((await fetch(`http://127.0.0.1:${leaving.addresses.opsPort}/readyz`)).status).toBe(503);
  port = staying.addresses.httpPort;
  await drained;
  await untilAnswered(tally, tally.answered + 500);
  await stop();
  agent.destroy();
  expect(tally.failures).toEqual([]);
});

test('a call in flight is answered before the port closes', async () => {
  const reply = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const held = hot(CouponService.method.claimCoupon, (_request, _context, answer) => {
    began.resolve();
    reply.promise.then(() => answer(Buffer.from('answer')));
  });
  const server = await start(held);
  const client = new Client(`127.0.0.1:${server.addresses.grpcPort}`, credentials.createInsecure());
  const call = grpcClaim(client);
  await began.promise;
  let isDrained = false;
  const drained = server.transport.drain().then(() => {
    isDrained = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(isDrained).toBe(false);
  reply.resolve();
  await expect(call).resolves.toBeUndefined();
  client.close();
  await drained;
});

test('a call that never ends is cut after the grace time', async () => {
  const began = Promise.withResolvers<void>();
  const stuck = hot(CouponService.method.claimCoupon, () => began.resolve());
  const server = await start(stuck, { HONGBAO_DRAIN_GRACE_MS: '50', HONGBAO_DRAIN_READINESS_DELAY_MS: '0' });
  const client = new Client(`127.0.0.1:${server.addresses.grpcPort}`, credentials.createInsecure());
  const call = grpcClaim(client);
  const failed = expect(call).rejects.toThrow();
  await began.promise;
  await server.transport.drain();
  await failed;
  client.close();
  expect(server.logLines.join('')).toContain('drain_forced');
});
