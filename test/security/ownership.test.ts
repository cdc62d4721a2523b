/**
 * An end user sees and touches what is their own. Every method that end users may call and that names a user, a coupon or an
 * order is tried on what is somebody else's; the answer must be the one for what does not exist. Methods are found by their
 * descriptors, so a new one is tried by itself.
 */
// SPEC S1: I10
import {
  createRegistry,
  type DescMethod,
  fromBinary,
  type Message,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Dice } from '../../bench/rule-sets/dice.ts';
import { RedemptionService } from '../../src/gen/hongbao/v1/redemption_service_pb.ts';
import { POLICIES } from '../../src/transport/policy.ts';
import { SERVICES } from '../../src/transport/services.ts';
import { samplePromotion } from '../definition-fixture.ts';
import { type ProductFixture, startProduct } from '../product-fixture.ts';
import { randomMessage } from './random-request.ts';
import { type RawAnswer, rawCalls } from './raw-calls.ts';

const START_LIMIT_MS = 120_000;
/** Attempts at a request that is valid; plausible values make most of the first ones so. */
const ATTEMPTS = 300;
const NOBODY = 'nobody-at-all';
const NO_COUPON = '0123456789ab'.repeat(4).slice(0, 44);
const NO_ORDER = 'no-such-order';
/** Methods about what everybody may see. */
const PUBLIC = ['GetPublicPromotion'];
const MALLORY = { 'x-hongbao-identity': 'end_user:mallory' };

const methodsWith = (field: string) =>
  SERVICES.flatMap(({ methods }) => methods).filter(
    (method) =>
      (POLICIES[`${method.parent.typeName}.${method.name}`]?.people ?? []).includes('end_user') &&
      method.input.fields.some(({ name }) => name === field),
  );

let product: ProductFixture;
let ways: ReturnType<typeof rawCalls>;
let aliceCoupon = '';

beforeAll(async () => {
  product = await startProduct();
  ways = rawCalls(product);
  const { promotion } = await product.promotions.createPromotion({
    promotionId: 'spring',
    promotion: samplePromotion({ reach: { claimable: {} } }),
    requestId: 'create',
  });
  const id = promotion?.promotionId ?? '';
  await product.promotions.activatePromotion({ promotionId: id, requestId: 'activate' });
  const { couponId } = await product.coupons.claimCoupon({
    promotionId: id,
    userId: 'alice',
    requestId: 'claim',
  });
  aliceCoupon = couponId;
  await product.coupons.claimCoupon({ promotionId: id, userId: 'mallory', requestId: 'claim' });
  const transport = createConnectTransport({
    baseUrl: `http://127.0.0.1:${product.httpPort}`,
    httpVersion: '1.1',
  });
  const redemptions = createClient(RedemptionService, transport);
  const lines = [{ lineId: 'l1', itemId: 'duck', quantity: 1, unitPriceMinor: 100_000n }];
  await vi.waitFor(
    () =>
      redemptions.useCoupons({
        userId: 'alice',
        orderId: 'alices-order',
        requestId: 'use',
        cart: { currency: 'CNY', lines },
      }),
    { timeout: 10_000 },
  );
}, START_LIMIT_MS);
afterAll(async () => {
  ways.close();
  await product.close();
});

const registry = createRegistry(...SERVICES);

/** What the caller learns, without instants and without what differs between any two calls. */
function learnt(method: DescMethod, { code, message, body }: RawAnswer): string {
  if (body === undefined) return `${code} ${message}`;
  const json = toJsonString(method.output, fromBinary(method.output, body), { registry });
  return `${code} ${json.replaceAll(/"\d{4}-\d\d-[^"]*Z"/g, '"instant"').replaceAll(/"[0-9a-f]{44}"/g, '"coupon"')}`;
}

async function ask(method: DescMethod, message: Message): Promise<string> {
  const answers = await Promise.all(
    ['gRPC', 'Connect, straight', 'Connect, by the adapter'].map((way) =>
      ways.binary[way]?.(method, Buffer.from(toBinary(method.input, message)), MALLORY),
    ),
  );
  const seen = answers.map((answer) => (answer === undefined ? 'no way' : learnt(method, answer)));
  return [...new Set(seen)].join(' | ');
}

/** A request of the method that mallory may make about herself. */
async function validRequest(method: DescMethod): Promise<Message> {
  const dice = new Dice(method.name.length);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const message = Object.assign(randomMessage(dice, method.input, 0), { userId: 'mallory' });
    const bytes = Buffer.from(toBinary(method.input, message));
    const { code } = (await ways.binary['gRPC']?.(method, bytes, MALLORY)) ?? { code: '' };
    if (code !== 'INVALID_ARGUMENT') return message;
  }
  throw new Error(`No valid request of ${method.name} was found; teach random-request.ts its fields`);
}

const withField = (message: Message, name: string, value: string): Message =>
  Object.assign(structuredClone(message), { [name]: value });

describe('somebody else', () => {
  test.each(methodsWith('user_id'))('$name', async (method) => {
    const own = await validRequest(method);
    const others = await ask(method, withField(own, 'userId', 'alice'));
    expect(others).toMatch(/^NOT_FOUND /);
    expect(others).toBe(await ask(method, withField(own, 'userId', NOBODY)));
  });
});

describe('a coupon of somebody else', () => {
  test.each(methodsWith('coupon_id'))('$name', async (method) => {
    const own = await validRequest(method);
    const others = await ask(method, withField(own, 'couponId', aliceCoupon));
    expect(others).toBe(await ask(method, withField(own, 'couponId', NO_COUPON)));
  });
});

describe('an order of somebody else', () => {
  test.each(methodsWith('order_id'))('$name', async (method) => {
    const own = await validRequest(method);
    const others = await ask(method, withField(own, 'orderId', 'alices-order'));
    expect(others).toBe(await ask(method, withField(own, 'orderId', NO_ORDER)));
  });
});

test('the methods that end users may call are among those that were tried, or about nobody', () => {
  const tried = new Set(methodsWith('user_id').map(({ name }) => name));
  const callable = SERVICES.flatMap(({ methods }) => methods).filter((method) =>
    (POLICIES[`${method.parent.typeName}.${method.name}`]?.people ?? []).includes('end_user'),
  );
  expect(tried.size).toBeGreaterThan(10);
  expect(callable.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual(PUBLIC);
});
