// Hostile and careless input: too large, bombs, garbage, late, unknown. The service answers with a reason and stays up.
// SPEC C2
import { once } from 'node:events';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { deflateSync, gzipSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StatusSchema } from '../../src/gen/google/rpc/status_pb.ts';
import { ClaimCouponRequestSchema, CouponService } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import {
  GetPromotionRequestSchema,
  PromotionService,
} from '../../src/gen/hongbao/v1/promotion_service_pb.ts';
import { SILENT, startTestTransport, type TestTransport } from './test-transport.ts';
import { readServiceError, type WireAnswer, wireCalls } from './wire-clients.ts';

const CLAIM = '/hongbao.v1.CouponService/ClaimCoupon';
const READ = '/hongbao.v1.PromotionService/GetPromotion';
let server: TestTransport;
let client: Client;
let claimer = '';
let reader = '';

beforeAll(async () => {
  server = await startTestTransport();
  client = new Client(`127.0.0.1:${server.addresses.grpcPort}`, credentials.createInsecure());
  claimer = `Bearer ${await server.token({ sub: 'gateway', kind: 'service', scope: 'coupons:claim' })}`;
  reader = `Bearer ${await server.token({ sub: 'mia', kind: 'marketing' })}`;
});
afterAll(async () => {
  client.close();
  await server.transport.stop();
});
// After each attack the service still answers.
const stillServes = async () => {
  const answer = await post(CLAIM, claim('spring'), { authorization: claimer });
  expect(answer.status).toBe(200);
};

const claim = (promotionId: string) =>
  Buffer.from(
    toBinary(
      ClaimCouponRequestSchema,
      create(ClaimCouponRequestSchema, { promotionId, userId: 'alice', requestId: 'r-1' }),
    ),
  );

/** Sends bytes by gRPC and gives code and message, or the response. */
function send(
  path: string,
  bytes: Buffer,
  headers: Record<string, string>,
  deadlineMs?: number,
): Promise<WireAnswer> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const asIs = (message: Buffer): Buffer => message;
  const options = deadlineMs === undefined ? {} : { deadline: deadlineMs };
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      asIs,
      asIs,
      bytes,
      metadata,
      options,
      (error: ServiceError | null, response) => {
        resolve(error === null ? { ok: response } : readServiceError(error));
      },
    );
  });
}

/** Posts bytes as a Connect call. */
async function post(path: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string>) {
  const response = await fetch(`http://127.0.0.1:${server.addresses.httpPort}${path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/proto', 'connect-protocol-version': '1', ...headers },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isError = response.headers.get('content-type') === 'application/json';
  return { status: response.status, error: isError ? JSON.parse(bytes.toString()) : undefined };
}

/** Sends raw DATA to the gRPC port, which a client library would refuse to send. */
async function raw(path: string, data: Buffer, headers: Record<string, string>) {
  const session = connect(`http://127.0.0.1:${server.addresses.grpcPort}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc+proto',
    te: 'trailers',
    ...headers,
  });
  stream.end(data);
  const seen: IncomingHttpHeaders = {};
  stream.on('response', (head) => Object.assign(seen, head));
  stream.on('trailers', (trailers) => Object.assign(seen, trailers));
  stream.resume();
  await once(stream, 'close');
  session.close();
  return seen;
}

const frame = (message: Buffer, isCompressed = false) => {
  const head = Buffer.alloc(5);
  head.writeUInt8(isCompressed ? 1 : 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

const reasonOf = (answer: WireAnswer) =>
  'code' in answer ? [answer.code, Object(answer.details[0]).reason] : answer;
const detailTypes = ({
  error,
}: {
  error: { code: string; details: { type: string; debug?: { reason?: string } }[] };
}) => [error.code, error.details[0]?.debug?.reason];

describe('size', () => {
  const big = Buffer.alloc(70_000, 1);
  const huge = Buffer.alloc(2_000_000, 1);

  test('a message above the limit of its method', async () => {
    for (const [path, authorization] of [
      [CLAIM, claimer],
      [READ, reader],
    ] as const) {
      expect(reasonOf(await send(path, big, { authorization }))).toEqual([
        'RESOURCE_EXHAUSTED',
        'MESSAGE_TOO_LARGE',
      ]);
      const answer = await post(path, big, { authorization });
      expect([answer.status, answer.error.code]).toEqual([429, 'resource_exhausted']);
    }
    const direct = await post(CLAIM, big, { authorization: claimer });
    expect(detailTypes(direct)).toEqual(['resource_exhausted', 'MESSAGE_TOO_LARGE']);
    await stillServes();
  });

  test('a batch may be larger, within its own limit', async () => {
    const path = '/hongbao.v1.CouponService/BatchClaimCoupons';
    expect(await send(path, big, { authorization: claimer })).toEqual({ ok: Buffer.alloc(0) });
    expect((await post(path, big, { authorization: claimer })).status).toBe(200);
    expect(await send(path, huge, { authorization: claimer })).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect((await post(path, huge, { authorization: claimer })).status).toBe(429);
    await stillServes();
  });

  test('a compression bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000));
    const bombed = await raw(CLAIM, frame(bomb, true), { authorization: claimer, 'grpc-encoding': 'gzip' });
    expect(bombed['grpc-status']).toBe('8');
    const answer = await post(CLAIM, bomb, { authorization: claimer, 'content-encoding': 'gzip' });
    expect([answer.status, answer.error.code]).toEqual([429, 'resource_exhausted']);
    await stillServes();
  });

  test('headers above their limit', async () => {
    const padded = { authorization: claimer, 'x-padding': 'p'.repeat(20_000) };
    expect((await post(CLAIM, claim('spring'), padded)).status).toBe(431);
    await stillServes();
  });
});

describe('garbage', () => {
  test('bytes that are no message', async () => {
    const garbage = Buffer.from('ffffffffff', 'hex');
    expect(reasonOf(await send(READ, garbage, { authorization: reader }))).toEqual([
      'INVALID_ARGUMENT',
      'INVALID_REQUEST',
    ]);
    expect((await post(READ, garbage, { authorization: reader })).error.code).toBe('invalid_argument');
    await stillServes();
  });

  const cut = 'The message is not as long as its length says';
  test.each([
    ['a frame that promises more than it holds', Buffer.from('0000000064aa', 'hex'), cut],
    ['a frame of unknown kind', Buffer.from('7f00000001aa', 'hex'), 'neither plain nor compressed'],
    ['no frame at all', Buffer.alloc(0), 'no message'],
    [
      'two messages',
      Buffer.concat([frame(claim('spring')), frame(claim('spring'))]),
      'more than one message',
    ],
    ['half a header', Buffer.from('0000', 'hex'), cut],
    ['a compressed message that says not how', frame(claim('spring'), true), 'grpc-encoding is none of'],
  ])('%s', async (_title, data, reason) => {
    const answer = await raw(CLAIM, data, { authorization: claimer });
    expect(answer['grpc-status']).toBe('3');
    expect(decodeURI(String(answer['grpc-message']))).toContain(reason);
    await stillServes();
  });

  test.each([
    ['in a way we do not know', 'br', frame(claim('spring'), true), 'grpc-encoding is none of gzip, deflate'],
    ['not at all', 'gzip', frame(claim('spring'), true), 'cannot be decompressed'],
  ])('a message compressed %s', async (_title, encoding, data, reason) => {
    const answer = await raw(CLAIM, data, { authorization: claimer, 'grpc-encoding': encoding });
    expect(answer['grpc-status']).toBe('3');
    expect(decodeURI(String(answer['grpc-message']))).toContain(reason);
    await stillServes();
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('a message compressed by %s is taken', async (encoding, compress) => {
    const data = frame(compress(claim('spring')), true);
    const answer = await raw(CLAIM, data, { authorization: claimer, 'grpc-encoding': encoding });
    expect(answer['grpc-status']).toBe('0');
  });

  test('bodies nobody reads do not use up the connection', async () => {
    const session = connect(`http://127.0.0.1:${server.addresses.grpcPort}`);
    const answer = async (authorization: string, body: Buffer): Promise<unknown> => {
      const head = { ':method': 'POST', ':path': CLAIM, 'content-type': 'application/grpc', authorization };
      const stream = session.request(head);
      const seen: IncomingHttpHeaders = {};
      for (const event of ['response', 'trailers'])
        stream.on(event, (headers) => Object.assign(seen, headers));
      stream.on('error', () => undefined);
      stream.resume();
      stream.end(body);
      await once(stream, 'close');
      return seen['grpc-status'];
    };
    // Thirty times what a connection may send before somebody reads.
    const refused = Array.from({ length: 40 }, () => answer('Bearer nobody', frame(Buffer.alloc(50_000))));
    expect(new Set(await Promise.all(refused))).toEqual(new Set(['16']));
    expect(await answer(claimer, frame(claim('spring')))).toBe('0');
    session.destroy();
  });

  test('a body that is not gRPC', async () => {
    expect((await raw(CLAIM, Buffer.from('hello'), { 'content-type': 'text/plain' }))[':status']).toBe(415);
    expect((await post(CLAIM, claim('spring'), { 'content-type': 'text/plain' })).status).toBe(415);
  });

  test.each(['Bearer', 'Bearer a b', 'Basic YTpi', `Bearer ${'x'.repeat(9000)}`])(
    'a token such as %.20s',
    async (authorization) => {
      expect(await send(CLAIM, claim('spring'), { authorization })).toMatchObject({
        code: 'UNAUTHENTICATED',
      });
    },
  );
});

describe('deadlines', () => {
  const headers = () => ({ authorization: claimer });

  test.each(['0', '00'])('a Connect call whose time is up: %s ms', async (timeout) => {
    const answer = await post(CLAIM, claim('spring'), { ...headers(), 'connect-timeout-ms': timeout });
    expect([answer.status, answer.error.code]).toEqual([504, 'deadline_exceeded']);
  });

  test.each([
    ['less than the ceiling', '1234', 'service:gateway::1234'],
    ['the ceiling', '30000', 'service:gateway::30000'],
    ['more than the ceiling', '9999999999', 'service:gateway::30000'],
  ])('a handler is told %s', async (_title, timeout, told) => {
    const url = `http://127.0.0.1:${server.addresses.httpPort}${CLAIM}`;
    const json = { promotionId: 'spring', userId: 'alice', requestId: 'r-1' };
    const call = (contentType: string, body: string | Uint8Array<ArrayBuffer>) =>
      fetch(url, {
        method: 'POST',
        body,
        headers: { ...headers(), 'content-type': contentType, 'connect-timeout-ms': timeout },
      });
    const direct = Buffer.from(await (await call('application/proto', claim('spring'))).arrayBuffer());
    expect(direct.toString()).toContain(told);
    const adapted = await (await call('application/json', JSON.stringify(json))).json().then(Object);
    // The adapter counts the time from its own arrival, which the frozen clock of the service does not know.
    expect(adapted.couponId).toMatch(/^service:gateway::\d+(\.\d+)?$/);
    expect(Number(adapted.couponId.split('::')[1])).toBeLessThanOrEqual(Number(told.split('::')[1]));
  });

  test('a handler that does not answer is answered for', async () => {
    const impatient = await startTestTransport({
      environment: { HONGBAO_LIMITS_DEFAULT_DEADLINE_MS: '20', HONGBAO_LIMITS_MAX_DEADLINE_MS: '20' },
    });
    const request = create(GetPromotionRequestSchema, { promotionId: SILENT });
    const authorization = `Bearer ${await impatient.token({ sub: 'mia', kind: 'marketing' })}`;
    const { calls, close } = wireCalls(impatient.addresses);
    for (const call of Object.values(calls)) {
      const answer = await call(PromotionService.method.getPromotion, request, { authorization });
      expect(reasonOf(answer)).toEqual(['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED']);
    }
    close();
    await impatient.transport.stop();
  });

  test('a gRPC call whose deadline passes is given up', async () => {
    const answer = await send(CLAIM, claim(SILENT), headers(), Date.now() + 50);
    expect(answer).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await stillServes();
  });

  test('calls that state a deadline in the past are refused before the handler', async () => {
    const session = connect(`http://127.0.0.1:${server.addresses.grpcPort}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': CLAIM,
      'content-type': 'application/grpc',
      'grpc-timeout': '0S',
      authorization: claimer,
    });
    stream.end(frame(claim('spring')));
    const [head] = await once(stream, 'response');
    expect(head['grpc-status']).toBe('4');
    const status = fromBinary(StatusSchema, Buffer.from(String(head['grpc-status-details-bin']), 'base64'));
    expect(status.message).toBe('The deadline had passed when the call arrived');
    session.destroy();
  });
});

describe('a deadline that cannot be read', () => {
  test.each(['5', 'S', '123456789S', '-1S', '1 S', '5s', '1e3m'])('%s', async (timeout) => {
    const data = frame(claim('spring'));
    const answer = await raw(CLAIM, data, { authorization: claimer, 'grpc-timeout': timeout });
    expect(answer['grpc-status']).toBe('3');
    expect(decodeURI(String(answer['grpc-message']))).toContain('grpc-timeout');
  });

  test.each(['1H', '1M', '5S', '5000m', '5000000u', '99999999n'])('unlike %s', async (timeout) => {
    const data = frame(claim('spring'));
    const answer = await raw(CLAIM, data, { authorization: claimer, 'grpc-timeout': timeout });
    expect(answer['grpc-status']).toBe('0');
  });
});

describe('unknown methods', () => {
  test('on both ports', async () => {
    const path = '/hongbao.v1.CouponService/StealCoupon';
    expect(await send(path, Buffer.alloc(0), { authorization: claimer })).toMatchObject({
      code: 'UNIMPLEMENTED',
    });
    const answer = await post(path, Buffer.alloc(0), { authorization: claimer });
    expect([answer.status, ...detailTypes(answer)]).toEqual([404, 'unimplemented', 'METHOD_NOT_FOUND']);
  });

  test('every method that is served is known to both', () => {
    expect(CouponService.methods.length + PromotionService.methods.length).toBeGreaterThan(15);
  });
});
