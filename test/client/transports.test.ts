// SPEC C8, T1: the client package against the real servers, on both of its transports.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, describe, expect, test } from 'vitest';
import { connectTransport } from '../../src/client/connect.ts';
import { grpcTransport } from '../../src/client/grpc.ts';
import { createHongbao, followEvents, type Hongbao, type HongbaoOptions } from '../../src/client/index.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import { CouponService } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { EventService, StreamEventsResponseSchema } from '../../src/gen/hongbao/v1/event_service_pb.ts';
import { type Binding, hot, stream } from '../../src/transport/binding.ts';
import { type Certificate, createAuthority } from '../security/certificates.ts';
import { SILENT, startTestTransport, type TestTransport } from '../transport/test-transport.ts';

const OPEN = { HONGBAO_AUTH: 'off', HONGBAO_DEVELOPMENT: 'embedded' };
const CLAIM = { promotionId: 'spring', userId: 'alice' };
const stack = new Set<() => unknown>();

async function start(
  bindings: readonly Binding[] = [],
  environment: Readonly<Record<string, string>> = OPEN,
): Promise<TestTransport> {
  const server = await startTestTransport({ bindings, environment });
  stack.add(() => server.transport.stop());
  return server;
}

function clientOf(options: HongbaoOptions): Hongbao {
  const client = createHongbao(options);
  stack.add(() => client.close());
  return client;
}

const grpcTo = (...servers: readonly TestTransport[]) =>
  grpcTransport({ address: servers.map(({ addresses }) => `127.0.0.1:${addresses.grpcPort}`) });
const connectTo = ({ addresses }: TestTransport) =>
  connectTransport({ baseUrl: `http://127.0.0.1:${addresses.httpPort}` });
const WAYS = { gRPC: grpcTo, Connect: connectTo };

afterEach(async () => {
  for (const end of [...stack].reverse()) await end();
  stack.clear();
});

describe.each(Object.entries(WAYS))('over %s', (_name, transportTo) => {
  test('a call is answered', async () => {
    const { coupons } = clientOf({ transport: transportTo(await start()) });
    expect(await coupons.claimCoupon(CLAIM)).toMatchObject({ promotionId: 'alice' });
  });

  test('a refusal is typed, with all that the service says', async () => {
    const headers = () => ({ 'accept-language': 'zh' });
    const { coupons } = clientOf({ transport: transportTo(await start()), headers });
    await expect(coupons.claimCoupon({ ...CLAIM, promotionId: 'sold-out' })).rejects.toMatchObject({
      name: 'HongbaoError',
      reason: 'SOLD_OUT',
      outcome: 'noEffect',
      isRetryable: false,
      metadata: { quantity: '10000', issued: '10000' },
      localizedMessage: expect.stringMatching(/\p{Script=Han}/u),
      attempts: 1,
    });
  });

  test('a call is asked again with the same id while its outcome is unknown', async () => {
    const ids: string[] = [];
    const claim = hot(CouponService.method.claimCoupon, (bytes, _context, reply) => {
      ids.push(Buffer.from(bytes).toString('hex'));
      reply(ids.length < 3 ? new Refusal('LEDGER_OVERLOADED', 'busy') : new Uint8Array());
    });
    const { coupons } = clientOf({ transport: transportTo(await start([claim])) });
    await coupons.claimCoupon(CLAIM);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
  });

  test('a call without an answer ends at its deadline, with the id to ask again', async () => {
    const { coupons } = clientOf({ transport: transportTo(await start()) });
    const call = coupons.claimCoupon({ ...CLAIM, promotionId: SILENT, requestId: 'mine' }, { timeoutMs: 50 });
    await expect(call).rejects.toMatchObject({ outcome: 'unknown', requestId: 'mine' });
  });

  test('nobody there is an unknown outcome', async () => {
    const server = await start();
    await server.transport.stop();
    const { coupons } = clientOf({ transport: transportTo(server), maxAttempts: 2 });
    await expect(coupons.claimCoupon(CLAIM)).rejects.toMatchObject({ outcome: 'unknown', attempts: 2 });
  });

  test('a token that the service refuses is replaced', async () => {
    const server = await start([], {});
    const good = await server.token({ sub: 'shop', kind: 'service', scope: 'coupons:claim' });
    const tokens = ['none', good];
    const { coupons } = clientOf({ transport: transportTo(server), token: () => tokens.shift() ?? '' });
    const { couponId } = await coupons.claimCoupon(CLAIM);
    expect(couponId).toMatch(/^service:shop:/);
    expect(tokens).toEqual([]);
  });

  test('a caller who gives up is told so at once', async () => {
    const { coupons } = clientOf({ transport: transportTo(await start()) });
    const abort = new AbortController();
    const call = coupons.claimCoupon({ ...CLAIM, promotionId: SILENT }, { signal: abort.signal });
    abort.abort();
    await expect(call).rejects.toMatchObject({ name: 'HongbaoError', attempts: 1 });
  });
});

describe('gRPC', () => {
  test('shares the calls among all addresses, and loses none when one leaves', async () => {
    const answer = hot(CouponService.method.claimCoupon, (_bytes, _context, reply) =>
      reply(new Uint8Array()),
    );
    const servers = [await start([answer]), await start([answer])];
    const { coupons } = clientOf({ transport: grpcTo(...servers) });
    const claims = (count: number) =>
      Promise.all(Array.from({ length: count }, () => coupons.claimCoupon(CLAIM)));
    // The first connection takes all calls until the second one stands.
    while (Math.min(...servers.map(answered)) === 0) await claims(10);
    await Promise.all([claims(100), servers[0]?.transport.drain()]);
    await claims(100);
    expect(Math.min(...servers.map(answered))).toBeGreaterThan(0);
  });

  test('speaks TLS, by another name and with a certificate of its own', async () => {
    const [authority, clients] = [createAuthority(), createAuthority()];
    const server = await start([], tlsSettings(authority.issue('DNS:coupons.shop'), clients.cert));
    const own = clients.issue('DNS:gateway');
    const tls = { ca: authority.cert, ...own, serverName: 'coupons.shop' };
    const address = `127.0.0.1:${server.addresses.grpcPort}`;
    const { coupons } = clientOf({ transport: grpcTransport({ address, tls }) });
    expect((await coupons.claimCoupon(CLAIM)).couponId).toMatch(/^service:gateway:/);
    const wary = clientOf({ transport: grpcTransport({ address, tls: true }), maxAttempts: 1 });
    await expect(wary.coupons.claimCoupon(CLAIM)).rejects.toMatchObject({ outcome: 'unknown' });
  });

  test('a stream carries every message both ways, and ends when its reader leaves', async () => {
    const { coupons } = clientOf({ transport: grpcTo(await start()) });
    let sent = 0;
    const claims = async function* () {
      for (; sent < 500; sent += 1) yield { sequence: sent, items: [] };
    };
    const seen: number[] = [];
    for await (const { sequence } of coupons.streamClaimCoupons(claims())) seen.push(sequence);
    expect(seen).toEqual(Array.from({ length: 500 }, (_, index) => index));
    const endless = async function* () {
      for (let sequence = 0; ; sequence += 1) yield { sequence, items: [] };
    };
    for await (const { sequence } of coupons.streamClaimCoupons(endless())) if (sequence === 5) break;
  });

  test('the feed goes on where it broke', async () => {
    const begun: string[] = [];
    const feed = stream(EventService.method.streamEvents, async (requests, _context, write) => {
      for await (const request of requests) begun.push(Buffer.from(request.subarray(2)).toString());
      for (const step of [1, 2]) {
        const cursor = String(begun.length * 10 + step);
        await write(toBinary(StreamEventsResponseSchema, create(StreamEventsResponseSchema, { cursor })));
      }
      if (begun.length < 3) throw new Refusal('SHUTTING_DOWN', 'elsewhere, please');
      await sleep(60_000, undefined, { ref: false });
    });
    const client = clientOf({ transport: grpcTo(await start([feed])) });
    const abort = new AbortController();
    const cursors: string[] = [];
    for await (const { cursor } of followEvents(client, { cursor: 'here' }, abort.signal)) {
      cursors.push(cursor);
      if (cursors.length === 6) abort.abort();
    }
    expect(cursors).toEqual(['11', '12', '21', '22', '31', '32']);
    expect(begun).toEqual(['here', '12', '22']);
  });

  test('the feed ends when asking again cannot help', async () => {
    const feed = stream(EventService.method.streamEvents, () =>
      Promise.reject(new Refusal('CURSOR_INVALID', 'no such place')),
    );
    const client = clientOf({ transport: grpcTo(await start([feed])) });
    const read = followEvents(client, { cursor: 'gone' }).next();
    await expect(read).rejects.toMatchObject({
      reason: 'CURSOR_INVALID',
      method: 'EventService.StreamEvents',
    });
  });
});

function answered({ metrics }: TestTransport): number {
  return metrics.serverHandled.child('hongbao.v1.CouponService', 'ClaimCoupon', 'OK').value;
}

/** TLS that asks callers for certificates and knows one of them. */
function tlsSettings(own: Certificate, callers: string): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'hongbao-client-tls-'));
  stack.add(() => rmSync(folder, { recursive: true }));
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const listed = { 'DNS:gateway': { kind: 'service', actor: 'gateway', scopes: ['coupons:claim'] } };
  return {
    HONGBAO_AUTH: 'certificates',
    HONGBAO_TLS_CERT_FILE: put('cert.pem', own.cert),
    HONGBAO_TLS_KEY_FILE: put('key.pem', own.key),
    HONGBAO_TLS_CLIENT_CA_FILE: put('clients.pem', callers),
    HONGBAO_TLS_IDENTITIES_FILE: put('identities.json', JSON.stringify(listed)),
    HONGBAO_TLS_CLIENT_CERTIFICATES: 'required',
  };
}
