import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { EvaluateCartRequestSchema } from '../../src/gen/hongbao/v1/cart_service_pb.ts';
import {
  BatchClaimCouponsResponseSchema,
  StreamClaimCouponsResponseSchema,
} from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { evaluateTemplate } from '../contenders/cart-messages.ts';
import { batchTemplate, claimTemplate } from '../contenders/claim-messages.ts';
import { benchCart, benchInput } from '../rule-sets/carts.ts';
import { countResults, readSequence } from './claim-results.ts';
import { grpcPrefix, MessageReader } from './grpc-frame.ts';
import { RequestSource } from './template.ts';

test('every request has its own user and request id, and the length never changes', () => {
  const source = new RequestSource(claimTemplate('sale'), { firstSerial: 41 });
  const texts = [source.next(), source.next()].map((message) => message.toString('latin1'));
  expect(texts[0]).toContain('user-000000000041');
  expect(texts[0]).toContain('bench-claim-request-id--000000000041');
  expect(texts[1]).toContain('user-000000000042');
  expect(texts[0]?.length).toBe(texts[1]?.length);
});

test('a batch takes one serial number per item', () => {
  const source = new RequestSource(batchTemplate('sale', 3), { firstSerial: 7 });
  const text = source.next().toString('latin1');
  expect([...text.matchAll(/user-(\d{12})/g)].map((match) => Number(match[1]))).toEqual([7, 8, 9]);
  expect([...text.matchAll(/request-id--(\d{12})/g)].map((match) => Number(match[1]))).toEqual([7, 8, 9]);
  expect(source.nextSerial).toBe(10);
});

test('with a bounded population users repeat and request ids do not', () => {
  const source = new RequestSource(batchTemplate('sale', 4), { firstSerial: 0, users: 2 });
  const text = source.next().toString('latin1');
  expect([...text.matchAll(/user-(\d{12})/g)].map((match) => Number(match[1]))).toEqual([0, 1, 0, 1]);
  expect([...text.matchAll(/request-id--(\d{12})/g)].map((match) => Number(match[1]))).toEqual([0, 1, 2, 3]);
});

test('a request without a request id still is of another user each time', () => {
  const source = new RequestSource(evaluateTemplate(benchInput(benchCart(2, 0))), { firstSerial: 12 });
  const requests = [source.next(), source.next()].map((bytes) =>
    fromBinary(EvaluateCartRequestSchema, bytes),
  );
  expect(requests.map(({ userId }) => userId)).toEqual(['user-000000000012', 'user-000000000013']);
  expect(requests[1]?.cart).toEqual(requests[0]?.cart);
  expect(requests[0]?.cart?.lines.map(({ itemId }) => itemId)).toEqual(['item-1', 'item-2']);
});

test('a prefix stays in front of each request', () => {
  const prefix = Buffer.from([1, 2, 3]);
  const source = new RequestSource(claimTemplate('sale'), { firstSerial: 5 }, prefix);
  const message = source.next();
  expect(message.subarray(0, 3)).toEqual(prefix);
  expect(message.toString('latin1')).toContain('user-000000000005');
});

const RESULTS = [
  { outcome: { case: 'claimed', value: { couponId: 'a'.repeat(44), promotionVersion: 300 } } },
  { outcome: { case: 'refusal', value: { message: 'sold out' } } },
  { outcome: { case: 'claimed', value: { couponId: 'b'.repeat(44) } } },
] as const;

test('results of a batch are counted without decoding it', () => {
  const answer = toBinary(
    BatchClaimCouponsResponseSchema,
    create(BatchClaimCouponsResponseSchema, { results: [...RESULTS] }),
  );
  expect(countResults(Buffer.from(answer), 1)).toEqual({ claimed: 2, refused: 1 });
});

test('results and sequence of a stream are read without decoding it', () => {
  const answer = toBinary(
    StreamClaimCouponsResponseSchema,
    create(StreamClaimCouponsResponseSchema, { sequence: 2 ** 21 + 5, results: [...RESULTS] }),
  );
  expect(countResults(Buffer.from(answer), 2)).toEqual({ claimed: 2, refused: 1 });
  expect(readSequence(Buffer.from(answer))).toBe(2 ** 21 + 5);
});

test('messages are put together however the bytes are cut', () => {
  const bytes = Buffer.concat(
    ['first', '', 'third one'].map((text) => Buffer.concat([grpcPrefix(text.length), Buffer.from(text)])),
  );
  for (let size = 1; size <= bytes.length; size += 1) {
    const messages: string[] = [];
    const reader = new MessageReader((message) => messages.push(message.toString()));
    for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size));
    expect(messages).toEqual(['first', '', 'third one']);
  }
});
