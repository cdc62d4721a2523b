// One answer on every way in: gRPC, Connect (direct and by the adapter), JSON, gRPC-Web, and buf curl with reflection.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClaimCouponRequestSchema, CouponService } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import {
  GetPromotionRequestSchema,
  PromotionService,
} from '../../src/gen/hongbao/v1/promotion_service_pb.ts';
import { startTestTransport, type TestTransport } from './test-transport.ts';
import { type WireAnswer, type WireCall, wireCalls } from './wire-clients.ts';

let server: TestTransport;
let ways: ReturnType<typeof wireCalls>;
const tokens = { service: '', endUser: '', marketing: '' };

beforeAll(async () => {
  server = await startTestTransport();
  ways = wireCalls(server.addresses);
  tokens.service = await server.token({ sub: 'gateway', kind: 'service', scope: 'coupons:claim' });
  tokens.endUser = await server.token({ sub: 'alice', kind: 'end_user' });
  tokens.marketing = await server.token({ sub: 'mia', kind: 'marketing' });
});
afterAll(async () => {
  ways.close();
  await server.transport.stop();
});

const claim = (promotionId: string) =>
  create(ClaimCouponRequestSchema, { promotionId, userId: 'alice', requestId: 'r-1' });
const read = (promotionId: string) => create(GetPromotionRequestSchema, { promotionId });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** The answer of each way to the same call. */
async function onEveryWay(call: (way: WireCall) => Promise<WireAnswer>): Promise<Record<string, WireAnswer>> {
  const answers = Object.entries(ways.calls).map(async ([name, way]) => [name, await call(way)] as const);
  return Object.fromEntries(await Promise.all(answers));
}

/** What every way must answer. */
function allWays(answer: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.keys(ways.calls).map((name) => [name, answer]));
}

const people = (message: string, locale = 'en') => ({ type: 'google.rpc.LocalizedMessage', locale, message });
const info = (reason: string, metadata?: Record<string, string>) => ({
  type: 'google.rpc.ErrorInfo',
  reason,
  domain: 'hongbao',
  ...(metadata && { metadata }),
});

describe('the hot path', () => {
  const { claimCoupon } = CouponService.method;

  // SPEC C2
  test('an answer', async () => {
    const answers = await onEveryWay((way) => way(claimCoupon, claim('spring'), bearer(tokens.endUser)));
    expect(answers).toEqual(allWays({ ok: { couponId: 'end_user:alice:alice:5000', promotionId: 'alice' } }));
  });

  test('a refusal with facts', async () => {
    const answers = await onEveryWay((way) => way(claimCoupon, claim('sold-out'), bearer(tokens.service)));
    expect(answers).toEqual(
      allWays({
        code: 'FAILED_PRECONDITION',
        message: 'Nothing is left',
        details: [
          info('SOLD_OUT', { quantity: '10000', issued: '10000' }),
          people('All coupons have been claimed.'),
        ],
      }),
    );
  });

  // SPEC U4
  test('a refusal in Chinese', async () => {
    const headers = { ...bearer(tokens.service), 'accept-language': 'fr, zh-CN;q=0.9, en;q=0.5' };
    const answers = await onEveryWay((way) => way(claimCoupon, claim('missing'), headers));
    expect(answers).toEqual(
      allWays({
        code: 'NOT_FOUND',
        message: 'There is no such promotion',
        details: [info('PROMOTION_NOT_FOUND'), people('该活动不存在。', 'zh')],
      }),
    );
  });

  test('an unknown outcome says when to ask again', async () => {
    const answers = await onEveryWay((way) => way(claimCoupon, claim('overloaded'), bearer(tokens.service)));
    expect(answers).toEqual(
      allWays({
        code: 'UNAVAILABLE',
        message: 'Too many claims are waiting',
        details: [
          info('LEDGER_OVERLOADED'),
          { type: 'google.rpc.RetryInfo', retryDelay: '0.050s' },
          people('Too many people at once. Please try again.'),
        ],
      }),
    );
  });

  test('a bug is an internal error whose cause goes to the log only', async () => {
    const linesBefore = server.logLines.length;
    const answers = await onEveryWay((way) => way(claimCoupon, claim('broken'), bearer(tokens.service)));
    expect(answers).toEqual(
      allWays({
        code: 'INTERNAL',
        message: 'Internal error',
        details: [info('INTERNAL'), people('Something went wrong on our side.')],
      }),
    );
    const logged = server.logLines.slice(linesBefore);
    expect(logged.filter((line) => line.includes('secret detail of a bug'))).toHaveLength(4);
  });

  // SPEC S1
  test('no token, and the wrong identity', async () => {
    const anonymous = await onEveryWay((way) => way(claimCoupon, claim('spring'), {}));
    expect(anonymous).toEqual(
      allWays({
        code: 'UNAUTHENTICATED',
        message: 'A token is needed',
        details: [info('UNAUTHENTICATED'), people('Please sign in.')],
      }),
    );
    const marketing = await onEveryWay((way) => way(claimCoupon, claim('spring'), bearer(tokens.marketing)));
    expect(marketing).toEqual(
      allWays({
        code: 'PERMISSION_DENIED',
        message: 'This identity may not call this method',
        details: [info('PERMISSION_DENIED'), people('You are not allowed to do this.')],
      }),
    );
  });
});

describe('the ordinary path', () => {
  const { getPromotion } = PromotionService.method;

  test('an answer', async () => {
    const answers = await onEveryWay((way) => way(getPromotion, read('spring'), bearer(tokens.marketing)));
    expect(answers).toEqual(allWays({ ok: { promotion: { promotionId: 'marketing:mia::5000' } } }));
  });

  test('every fault of the request is listed', async () => {
    const request = create(GetPromotionRequestSchema, { promotionId: 'NOT A SLUG', version: 0 });
    const answers = await onEveryWay((way) => way(getPromotion, request, bearer(tokens.marketing)));
    expect(answers).toEqual(
      allWays({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('promotion_id: '),
        details: [
          info('INVALID_REQUEST'),
          {
            type: 'google.rpc.BadRequest',
            fieldViolations: [
              { field: 'promotion_id', description: expect.any(String) },
              { field: 'version', description: expect.any(String) },
            ],
          },
          people('The request is not valid.'),
        ],
      }),
    );
  });

  test('a refusal, and a bug', async () => {
    const refused = await onEveryWay((way) => way(getPromotion, read('missing'), bearer(tokens.marketing)));
    expect(Object.values(refused)).toEqual(
      Object.keys(ways.calls).map(() => expect.objectContaining({ code: 'NOT_FOUND' })),
    );
    const failed = await onEveryWay((way) => way(getPromotion, read('broken'), bearer(tokens.marketing)));
    expect(failed).toEqual(
      allWays({
        code: 'INTERNAL',
        message: 'Internal error',
        details: [info('INTERNAL'), expect.anything()],
      }),
    );
  });
});

describe('buf curl with reflection', () => {
  const curl = (...args: string[]) => promisify(execFile)('node_modules/.bin/buf', ['curl', ...args]);
  const grpc = ['--http2-prior-knowledge', '--protocol', 'grpc'];
  const url = (path: string) => `http://127.0.0.1:${server.addresses.grpcPort}${path}`;
  const claimPath = '/hongbao.v1.CouponService/ClaimCoupon';
  const data = (promotionId: string) => JSON.stringify({ promotionId, userId: 'alice', requestId: 'r-1' });

  test('lists every method', async () => {
    const { stdout } = await curl(...grpc, '--list-methods', url(''));
    const methods = [PromotionService, CouponService].flatMap(({ typeName, methods }) =>
      methods.map(({ name }) => `${typeName}/${name}`),
    );
    for (const method of [...methods, 'grpc.health.v1.Health/Watch']) expect(stdout).toContain(method);
  });

  test('calls, and shows the details of a refusal', async () => {
    const header = ['-H', `authorization: Bearer ${tokens.service}`];
    const { stdout } = await curl(...grpc, ...header, '-d', data('spring'), url(claimPath));
    expect(JSON.parse(stdout)).toEqual({ couponId: 'service:gateway::5000', promotionId: 'alice' });
    const failure: unknown = await curl(...grpc, ...header, '-d', data('sold-out'), url(claimPath)).catch(
      (error: unknown) => error,
    );
    const { code, message, details } = JSON.parse(String(Object(failure).stderr));
    expect({ code, message }).toEqual({ code: 'failed_precondition', message: 'Nothing is left' });
    const texts = details.map(({ value }: { value: string }) => Buffer.from(value, 'base64').toString());
    expect(texts).toEqual([
      expect.stringContaining('SOLD_OUT'),
      expect.stringContaining('All coupons have been claimed.'),
    ]);
  });
});
