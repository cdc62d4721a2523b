// Leaving under load: calls that had begun are answered, clients go elsewhere, nobody sees an error.
// SPEC C7: what a rolling deployment relies on.

import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { Client, type ClientReadableStream, credentials, type ServiceError } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { Refusal } from '../../src/domain/refusal.ts';
import { ClaimCouponRequestSchema, CouponService } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { EventService } from '../../src/gen/hongbao/v1/event_service_pb.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import {
  type Binding,
  hot,
  onlyRequest,
  pathOf,
  type StreamHandler,
  stream,
} from '../../src/transport/binding.ts';
import { drain } from '../../src/transport/drain.ts';
import { echo, startTestTransport, type TestTransport } from './test-transport.ts';
import { readServiceError } from './wire-clients.ts';

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

const { streamClaimCoupons } = CouponService.method;
const { streamEvents } = EventService.method;
const GRACE_MS = 400;
const BRIEF = { HONGBAO_DRAIN_GRACE_MS: String(GRACE_MS), HONGBAO_DRAIN_READINESS_DELAY_MS: '0' };
const asIs = (bytes: Buffer): Buffer => bytes;

/** Milliseconds that draining takes. */
async function drainMs({ transport }: TestTransport): Promise<number> {
  const startedAt = performance.now();
  await transport.drain();
  return performance.now() - startedAt;
}

/** How a stream ended. */
function endOf(call: ClientReadableStream<Buffer>): Promise<unknown> {
  return new Promise((resolve) => {
    call.on('error', (error: ServiceError) => resolve(readServiceError(error)));
    call.on('end', () => resolve('ended well'));
  });
}

const clientOf = (port: number): Client => new Client(`127.0.0.1:${port}`, credentials.createInsecure());

/** Sends a message at once, and as soon as the process stops ends as events do. */
function eventsUntil(stopping: Promise<void>): StreamHandler {
  return async (requests, _context, write) => {
    await onlyRequest(requests);
    await write(Buffer.from('event'));
    await stopping;
    throw new Refusal('SHUTTING_DOWN', 'This server is stopping');
  };
}

/** Sends more than a caller that does not read lets through, for ever. */
const endless: StreamHandler = async (_requests, context, write) => {
  while (!context.signal.aborted) await write(Buffer.alloc(60_000));
};

const STOPS = { code: 'UNAVAILABLE', details: [{ reason: 'SHUTTING_DOWN' }, {}, {}] };

// SPEC C7
describe('open streams', () => {
  test('that are idle are told to go on elsewhere, and hold nothing up', async () => {
    const stopping = Promise.withResolvers<void>();
    const events = stream(streamEvents, eventsUntil(stopping.promise));
    const server = await start(events, { ...BRIEF, HONGBAO_DRAIN_GRACE_MS: '10000' });
    const client = clientOf(server.addresses.grpcPort);
    const claims = client.makeBidiStreamRequest(pathOf(streamClaimCoupons), asIs, asIs);
    const followed = client.makeServerStreamRequest(pathOf(streamEvents), asIs, asIs, Buffer.alloc(0));
    const watched = client.makeServerStreamRequest(
      '/grpc.health.v1.Health/Watch',
      asIs,
      asIs,
      Buffer.alloc(0),
    );
    const reflected = client.makeBidiStreamRequest(
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      asIs,
      asIs,
    );
    claims.write(Buffer.from('claim'));
    reflected.write(Buffer.from([0x3a, 0]));
    const streams = [claims, followed, watched, reflected];
    await Promise.all(streams.map((call) => once(call, 'data')));
    const ends = Promise.all(streams.map(endOf));
    stopping.resolve();
    expect(await drainMs(server)).toBeLessThan(2_000);
    expect(await ends).toMatchObject([STOPS, STOPS, STOPS, STOPS]);
    client.close();
  });

  test('answer what they took before they end', async () => {
    const taken = Promise.withResolvers<void>();
    const reply = Promise.withResolvers<void>();
    const slow = stream(streamClaimCoupons, async (requests, _context, write) => {
      for await (const message of requests) {
        taken.resolve();
        await reply.promise;
        await write(message);
      }
    });
    const server = await start(slow, { HONGBAO_DRAIN_READINESS_DELAY_MS: '0' });
    const client = clientOf(server.addresses.grpcPort);
    const claims = client.makeBidiStreamRequest(pathOf(streamClaimCoupons), asIs, asIs);
    const received: string[] = [];
    claims.on('data', (message: Buffer) => received.push(message.toString()));
    const end = endOf(claims);
    claims.write(Buffer.from('one'));
    await taken.promise;
    const drained = server.transport.drain();
    setTimeout(() => reply.resolve(), 50);
    expect(await end).toMatchObject(STOPS);
    expect(received).toEqual(['one']);
    await drained;
    client.close();
  });

  test('of a caller that does not read are cut after the grace time', async () => {
    const server = await start(stream(streamEvents, endless), BRIEF);
    const client = clientOf(server.addresses.grpcPort);
    const call = client.makeServerStreamRequest(pathOf(streamEvents), asIs, asIs, Buffer.alloc(0));
    const end = endOf(call);
    await once(call, 'metadata');
    expect(await drainMs(server)).toBeLessThan(GRACE_MS + 1_000);
    call.resume();
    expect(await end).toMatchObject({ code: expect.stringMatching(/UNAVAILABLE|CANCELLED/) });
    client.close();
  });

  test.each([
    ['idle', stream(streamClaimCoupons, echo), streamClaimCoupons],
    ['unread', stream(streamEvents, endless), streamEvents],
  ])(
    '%s, of a caller whose network is gone, are cut after the grace time',
    async (_name, binding, method) => {
      const server = await start(binding, BRIEF);
      const proxy = await startBlackHole(server.addresses.grpcPort);
      const client = clientOf(proxy.port);
      const call = client.makeBidiStreamRequest(pathOf(method), asIs, asIs);
      call.on('error', () => {});
      call.write(Buffer.from('message'));
      await once(call, 'metadata');
      proxy.swallow();
      expect(await drainMs(server)).toBeLessThan(GRACE_MS + 1_000);
      proxy.close();
      client.close();
    },
  );
});

test('a connection that never says a word is cut after the grace time on both ports', async () => {
  const server = await start(slowClaims, BRIEF);
  const { grpcPort, httpPort } = server.addresses;
  const silent = [grpcPort, httpPort].map((port) =>
    connect({ port, host: '127.0.0.1', allowHalfOpen: true }),
  );
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  silent[1]?.write('POST / HTTP/1.1\r\n');
  for (const socket of silent) socket.on('error', () => {});
  expect(await drainMs(server)).toBeLessThan(GRACE_MS + 1_000);
  for (const socket of silent) socket.destroy();
});

/** A proxy that can stop passing anything on, ends of connections included. */
async function startBlackHole(target: number) {
  const sockets: Socket[] = [];
  const proxy = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => {});
    near.pipe(far);
    far.pipe(near);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    swallow() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

test('streams end when load balancers have noticed, and before connections are closed', async () => {
  const order: string[] = [];
  const note = (what: string) => (): void => void order.push(what);
  setTimeout(note('noticed'), 10);
  await drain({
    config: { readinessDelayMs: 30, graceMs: 1_000 },
    logger: createLogger({ level: 'silent', role: 'test' }),
    withdraw: note('withdrawn'),
    endStreams: note('streams ended'),
    servers: [{ close: async () => note('closed')() }],
  });
  expect(order).toEqual(['withdrawn', 'noticed', 'streams ended', 'closed']);
});
