import { create, fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Refusal } from '../../domain/refusal.ts';
import {
  BatchEvaluateCartsRequestSchema,
  BatchEvaluateCartsResponseSchema,
  EvaluateCartRequestSchema,
  EvaluateCartResponseSchema,
} from '../../gen/hongbao/v1/cart_service_pb.ts';
import { joinBatch, MAX_BATCH_ITEMS, splitBatch } from './batch.ts';

const batchOf = (items: number): Uint8Array =>
  toBinary(
    BatchEvaluateCartsRequestSchema,
    create(BatchEvaluateCartsRequestSchema, {
      items: Array.from({ length: items }, (_, at) => ({ userId: `user-${at}` })),
    }),
  );

test.each([1, 2, MAX_BATCH_ITEMS])('a batch of %d is split into requests in order', (items) => {
  const userIds = splitBatch(batchOf(items)).map(
    (item) => fromBinary(EvaluateCartRequestSchema, item).userId,
  );
  expect(userIds).toEqual(Array.from({ length: items }, (_, at) => `user-${at}`));
});

test('an empty item is an item, and fields that are not known are none', () => {
  const bytes = Uint8Array.of(0x0a, 0, 0x10, 5, 0x1a, 1, 9, 0x0a, 2, 0x10, 1);
  expect(splitBatch(bytes).map((item) => item.length)).toEqual([0, 2]);
});

test.each([0, MAX_BATCH_ITEMS + 1])('a batch of %d is refused', (items) => {
  expect(() => splitBatch(batchOf(items))).toThrow(
    expect.objectContaining({
      reason: 'INVALID_REQUEST',
      detail: { violations: [expect.objectContaining({ field: 'items' })] },
    }),
  );
});

test('bytes that are no batch are refused', () => {
  expect(() => splitBatch(Uint8Array.of(0x0a, 5, 1))).toThrow(Refusal);
});

test('answers are joined in order, as protobuf-es would write them', () => {
  const decision = { ruleSetVersion: 7n, lines: [{ lineId: 'a'.repeat(300) }] };
  const refusal = { reason: 71, message: 'ended', retryAfter: 100, metadata: { a: 'b' } } as const;
  const response = toBinary(EvaluateCartResponseSchema, create(EvaluateCartResponseSchema, decision));
  const bytes = joinBatch([{ decision: response }, { refusal }, { decision: new Uint8Array(0) }]);
  const message = fromBinary(BatchEvaluateCartsResponseSchema, bytes);
  expect(Buffer.from(toBinary(BatchEvaluateCartsResponseSchema, message)).equals(bytes)).toBe(true);
  expect(toJson(BatchEvaluateCartsResponseSchema, message)).toEqual({
    results: [
      { decision: { ruleSetVersion: '7', lines: [{ lineId: 'a'.repeat(300) }] } },
      {
        refusal: {
          reason: 'REFUSAL_REASON_EVALUATION_FAILED',
          message: 'ended',
          retryAfter: '0.100s',
          metadata: { a: 'b' },
        },
      },
      { decision: {} },
    ],
  });
});
