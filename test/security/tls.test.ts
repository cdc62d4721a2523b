// SPEC S1: both servers speak TLS, know services by their certificates, and take new files without a restart.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  ClaimCouponRequestSchema,
  ClaimCouponResponseSchema,
} from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { parseListedIdentities } from '../../src/transport/tls-identities.ts';
import { startTestTransport, type TestTransport } from '../transport/test-transport.ts';
import { type Certificate, createAuthority } from './certificates.ts';

const CLAIM = '/hongbao.v1.CouponService/ClaimCoupon';
const authority = createAuthority();
const clients = createAuthority();
const checkout = clients.issue('URI:spiffe://shop/checkout');
const gateway = clients.issue('DNS:gateway.shop.internal', 'DNS:gateway');
const unlisted = clients.issue('URI:spiffe://shop/other');
const forged = createAuthority().issue('URI:spiffe://shop/checkout');
const first = authority.issue('DNS:localhost', 'IP:127.0.0.1');

const LISTED = {
  'URI:spiffe://shop/checkout': { kind: 'service', actor: 'checkout', scopes: ['orders:redeem'] },
  'DNS:gateway': { kind: 'service', actor: 'gateway', scopes: ['coupons:claim'] },
};

const request = Buffer.from(
  toBinary(
    ClaimCouponRequestSchema,
    create(ClaimCouponRequestSchema, { promotionId: 'spring', userId: 'alice', requestId: 'r-1' }),
  ),
);
const asIs = (bytes: Buffer): Buffer => bytes;

/** The files of one service. */
class Files {
  readonly folder = mkdtempSync(join(tmpdir(), 'hongbao-tls-'));

  put(name: string, text: string): string {
    writeFileSync(join(this.folder, name), text);
    return join(this.folder, name);
  }

  environment(clientCertificates: string): Record<string, string> {
    return {
      HONGBAO_TLS_CERT_FILE: this.put('cert.pem', first.cert),
      HONGBAO_TLS_KEY_FILE: this.put('key.pem', first.key),
      HONGBAO_TLS_CLIENT_CA_FILE: this.put('clients.pem', clients.cert),
      HONGBAO_TLS_IDENTITIES_FILE: this.put('identities.json', JSON.stringify(LISTED)),
      HONGBAO_TLS_CLIENT_CERTIFICATES: clientCertificates,
      HONGBAO_TLS_RELOAD_MS: '50',
    };
  }
}

/** Who the handler saw, or the code. */
function byGrpc(server: TestTransport, own: Certificate | undefined, token = ''): Promise<string> {
  const secure = credentials.createSsl(
    Buffer.from(authority.cert),
    own ? Buffer.from(own.key) : null,
    own ? Buffer.from(own.cert) : null,
  );
  const client = new Client(`localhost:${server.addresses.grpcPort}`, secure);
  const metadata = new Metadata();
  if (token !== '') metadata.set('authorization', `Bearer ${token}`);
  const options = { deadline: Date.now() + 5000 };
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      CLAIM,
      asIs,
      asIs,
      request,
      metadata,
      options,
      (error: ServiceError | null, answer) => {
        client.close();
        resolve(error === null ? seenIn(answer ?? Buffer.alloc(0)) : String(error.code));
      },
    );
  });
}

function seenIn(answer: Buffer): string {
  return fromBinary(ClaimCouponResponseSchema, answer).couponId.split(':').slice(0, 2).join(':');
}

/** The same by HTTP, straight or by the adapter. */
function byHttp(
  server: TestTransport,
  own: Certificate | undefined,
  json = false,
  token = '',
): Promise<string> {
  const body = json ? '{"promotionId":"spring","userId":"alice","requestId":"r-1"}' : request;
  const headers = {
    'content-type': json ? 'application/json' : 'application/proto',
    'content-length': body.length,
    ...(token !== '' && { authorization: `Bearer ${token}` }),
  };
  const port = server.addresses.httpPort;
  const options = {
    port,
    host: 'localhost',
    path: CLAIM,
    method: 'POST',
    headers,
    ca: authority.cert,
    agent: false as const,
    ...own,
  };
  return new Promise((resolve) => {
    const sent = httpsRequest(options, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      if (response.statusCode !== 200) resolve(String(response.statusCode));
      else
        resolve(
          json ? JSON.parse(bytes.toString()).couponId.split(':').slice(0, 2).join(':') : seenIn(bytes),
        );
    });
    sent.on('error', () => resolve('closed'));
    sent.end(body);
  });
}

async function handshake(port: number, options: ConnectionOptions): Promise<TLSSocket | string> {
  return await new Promise((resolve) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      ca: authority.cert,
      ALPNProtocols: ['h2'],
      ...options,
    });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', (error) => resolve(error.message));
  });
}

const everyWay = async (server: TestTransport, own: Certificate | undefined, token = '') => [
  await byGrpc(server, own, token),
  await byHttp(server, own, false, token),
  await byHttp(server, own, true, token),
];

describe('certificates that are required', () => {
  const files = new Files();
  let server: TestTransport;
  beforeAll(async () => {
    server = await startTestTransport({
      environment: { ...files.environment('required'), HONGBAO_AUTH: 'certificates' },
    });
  });
  afterAll(() => server.transport.stop());

  test('a listed name is the caller it stands for, on every way in', async () => {
    expect(await everyWay(server, gateway)).toEqual([
      'service:gateway',
      'service:gateway',
      'service:gateway',
    ]);
  });

  test('a listed name may only what its scopes say', async () => {
    expect(await everyWay(server, checkout)).toEqual(['7', '403', '403']);
  });

  test.each([
    ['none at all', undefined],
    ['a name that is not listed', unlisted],
    ['a listed name that another authority signed', forged],
  ])('%s gets no connection', async (_title, own) => {
    expect(await everyWay(server, own)).toEqual(['14', 'closed', 'closed']);
    expect(server.metrics.authRejections.child('certificate').value).toBeGreaterThan(0);
  });

  test('a token in place of a certificate is not looked at', async () => {
    const token = await server.token({ sub: 'gateway', kind: 'service', scope: 'coupons:claim' });
    expect(await everyWay(server, checkout, token)).toEqual(['7', '403', '403']);
  });

  test('older TLS and plain text are refused', async () => {
    const old = await handshake(server.addresses.grpcPort, {
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ...gateway,
    });
    expect(old).toEqual(expect.any(String));
    const plain = fetch(`http://127.0.0.1:${server.addresses.httpPort}${CLAIM}`, {
      method: 'POST',
      body: request,
    });
    await expect(plain).rejects.toThrow();
  });

  test('new files take effect without a restart, and bad ones leave what was in force', async () => {
    const { addresses, metrics } = server;
    const serialOf = async () => {
      const socket = await handshake(addresses.grpcPort, { ...gateway });
      if (typeof socket === 'string') return socket;
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const before = await serialOf();
    const failedBefore = metrics.tlsReloads.child('failed').value;
    files.put('key.pem', 'no key');
    await vi.waitFor(() => expect(metrics.tlsReloads.child('failed').value).toBeGreaterThan(failedBefore), {
      timeout: 5000,
    });
    expect(await serialOf()).toBe(before);

    const second = authority.issue('DNS:localhost', 'IP:127.0.0.1');
    files.put('cert.pem', second.cert);
    files.put('key.pem', second.key);
    await vi.waitFor(async () => expect(await serialOf()).not.toBe(before), { timeout: 5000 });
    expect(await byGrpc(server, gateway)).toBe('service:gateway');
  });

  test('a name taken off the list loses the connections it has', async () => {
    const socket = await handshake(server.addresses.grpcPort, { ...gateway });
    if (typeof socket === 'string') throw new Error(socket);
    socket.resume();
    const closed = new Promise((resolve) => socket.once('close', () => resolve('closed')));
    files.put(
      'identities.json',
      JSON.stringify({ 'URI:spiffe://shop/checkout': LISTED['URI:spiffe://shop/checkout'] }),
    );
    expect(await closed).toBe('closed');
    expect(await byHttp(server, gateway)).toBe('closed');
    expect(await byHttp(server, checkout)).toBe('403');
    files.put('identities.json', JSON.stringify(LISTED));
    await vi.waitFor(async () => expect(await byHttp(server, gateway)).toBe('service:gateway'), {
      timeout: 5000,
    });
  });
});

describe('certificates that are optional', () => {
  const files = new Files();
  let server: TestTransport;
  beforeAll(async () => {
    server = await startTestTransport({ environment: files.environment('optional') });
  });
  afterAll(() => server.transport.stop());

  test('a token goes before the certificate, and either will do', async () => {
    const token = await server.token({ sub: 'alice', kind: 'end_user' });
    expect(await everyWay(server, gateway, token)).toEqual([
      'end_user:alice',
      'end_user:alice',
      'end_user:alice',
    ]);
    expect(await everyWay(server, undefined, token)).toEqual([
      'end_user:alice',
      'end_user:alice',
      'end_user:alice',
    ]);
    expect(await everyWay(server, gateway)).toEqual([
      'service:gateway',
      'service:gateway',
      'service:gateway',
    ]);
  });

  test('neither is nobody, and a forged certificate is worse than none', async () => {
    expect(await everyWay(server, undefined)).toEqual(['16', '401', '401']);
    expect(await everyWay(server, unlisted)).toEqual(['16', '401', '401']);
    expect(await everyWay(server, forged)).toEqual(['14', 'closed', 'closed']);
  });

  test('a client that connects and says nothing holds up nobody', async () => {
    const silent = await handshake(server.addresses.grpcPort, {});
    await sleep(20);
    expect(await byGrpc(server, gateway)).toBe('service:gateway');
    if (typeof silent !== 'string') silent.destroy();
  });
});

describe('the list of names', () => {
  test.each([
    ['no JSON', 'gateway'],
    ['an end user', '{"DNS:a":{"kind":"end_user","actor":"a"}}'],
    ['an unknown scope', '{"DNS:a":{"kind":"service","actor":"a","scopes":["everything"]}}'],
    [
      'the scope of the open door',
      '{"DNS:a":{"kind":"service","actor":"a","scopes":["development:everything"]}}',
    ],
    ['a name of another kind', '{"CN:a":{"kind":"service","actor":"a"}}'],
    ['a field nobody knows', '{"DNS:a":{"kind":"service","actor":"a","role":"x"}}'],
  ])('%s is refused', (_title, text) => {
    expect(() => parseListedIdentities(text)).toThrow();
  });

  test('a service that starts with a bad one does not start', async () => {
    const files = new Files();
    const environment = files.environment('required');
    files.put('identities.json', '[]');
    await expect(startTestTransport({ environment })).rejects.toThrow();
  });
});
