// SPEC C2: a call whose body is not there by its deadline is refused, and not carried out when the rest comes after all.
import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { ClaimCouponRequestSchema, CouponService } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { hot } from '../../src/transport/binding.ts';
import { frameOf } from '../../src/transport/grpc-frames.ts';
import { startTestTransport, type TestTransport } from './test-transport.ts';

const CLAIM = '/hongbao.v1.CouponService/ClaimCoupon';
const TIMEOUT_MS = 50;
const BODY = toBinary(
  ClaimCouponRequestSchema,
  create(ClaimCouponRequestSchema, { promotionId: 'spring', userId: 'alice', requestId: 'r-1' }),
);

let server: TestTransport;
let authorization = '';
let served = 0;

beforeAll(async () => {
  const counting = hot(CouponService.method.claimCoupon, (_bytes, _context, reply) => {
    served += 1;
    reply(new Uint8Array());
  });
  server = await startTestTransport({ bindings: [counting], clock: Date.now });
  authorization = `Bearer ${await server.token({ sub: 'gateway', kind: 'service', scope: 'coupons:claim' })}`;
});
afterAll(() => server.transport.stop());
beforeEach(() => {
  served = 0;
});

test('over HTTP, on a connection that goes on', async () => {
  const socket = connect(server.addresses.httpPort, '127.0.0.1');
  const head = (timeoutMs: number) =>
    [
      `POST ${CLAIM} HTTP/1.1`,
      'host: test',
      'content-type: application/proto',
      `content-length: ${BODY.length}`,
      `connect-timeout-ms: ${timeoutMs}`,
      `authorization: ${authorization}`,
      '\r\n',
    ].join('\r\n');
  try {
    socket.write(head(TIMEOUT_MS));
    socket.write(BODY.subarray(0, 5));
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 504 .*DEADLINE_EXCEEDED/s);
    socket.write(BODY.subarray(5));
    socket.write(head(10_000));
    socket.write(BODY);
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /);
    expect(served).toBe(1);
  } finally {
    socket.destroy();
  }
});

test('over gRPC, on a connection that goes on', async () => {
  const session = connectHttp2(`http://127.0.0.1:${server.addresses.grpcPort}`);
  const open = (timeout: string) =>
    session.request({
      ':method': 'POST',
      ':path': CLAIM,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      'grpc-timeout': timeout,
      authorization,
    });
  try {
    const late = open(`${TIMEOUT_MS}m`);
    late.write(frameOf(BODY).subarray(0, 9));
    const [answer] = await once(late, 'response');
    expect(answer['grpc-status']).toBe('4');
    late.end(frameOf(BODY).subarray(9));
    const next = open('10S');
    next.resume().end(frameOf(BODY));
    const [trailers] = await once(next, 'trailers');
    expect(trailers['grpc-status']).toBe('0');
    expect(served).toBe(1);
  } finally {
    session.destroy();
  }
});

test('over gRPC, a caller that goes away before it is known who it is leaves no place taken', async () => {
  const session = connectHttp2(`http://127.0.0.1:${server.addresses.grpcPort}`);
  try {
    const token = await server.token({ sub: 'newcomer', kind: 'service', scope: 'coupons:claim' });
    const started = server.metrics.serverStarted.child('hongbao.v1.CouponService', 'ClaimCoupon');
    const before = started.value;
    const gone = session.request({
      ':method': 'POST',
      ':path': CLAIM,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      authorization: `Bearer ${token}`,
    });
    gone.on('error', () => {});
    gone.write(frameOf(BODY).subarray(0, 9));
    gone.close(constants.NGHTTP2_CANCEL);
    await once(gone, 'close');
    await vi.waitFor(() => expect(started.value).toBe(before + 1));
    await vi.waitFor(() => expect(server.metrics.serverInFlight.read()).toBe(0));
    expect(served).toBe(0);
  } finally {
    session.destroy();
  }
});
