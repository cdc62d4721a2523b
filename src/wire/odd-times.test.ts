import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../domain/refusal.ts';
import { ListIssuedCouponsRequestSchema } from '../gen/hongbao/v1/insight_service_pb.ts';
import { CreatePromotionRequestSchema } from '../gen/hongbao/v1/promotion_service_pb.ts';
import { decodeMessage } from '../transport/binding.ts';
import { ODD_NANOS } from './checks.ts';

function fieldsRefused(decode: () => unknown): readonly string[] {
  try {
    decode();
    return [];
  } catch (error) {
    if (!(error instanceof Refusal) || error.reason !== 'INVALID_REQUEST') throw error;
    const violations = error.detail.violations ?? [];
    expect(new Set(violations.map(({ description }) => description))).toEqual(new Set([ODD_NANOS]));
    return violations.map(({ field }) => field);
  }
}

// SPEC S1: what no client sends is refused, named, and reaches no store.
describe('a moment', () => {
  const listed = (nanos: number) => {
    const request = create(ListIssuedCouponsRequestSchema, { issuedFrom: { seconds: 1n, nanos } });
    return () =>
      decodeMessage(ListIssuedCouponsRequestSchema, toBinary(ListIssuedCouponsRequestSchema, request));
  };

  // One second after 1970 and two before: its bound holds, and it lies before 1970.
  test.each([-(2 ** 31), -1, 1_000_000_000, 2 ** 31 - 1])(
    'with %d nanoseconds is refused by its name',
    (nanos) => {
      expect(fieldsRefused(listed(nanos))).toEqual(['issued_from']);
    },
  );

  test.each([0, 1, 999_999_999])('with %d nanoseconds is taken', (nanos) => {
    expect(fieldsRefused(listed(nanos))).toEqual([]);
  });

  test('is found wherever it is, with every other one', () => {
    const odd = { seconds: 5n, nanos: -1 };
    const request = create(CreatePromotionRequestSchema, {
      promotion: {
        stock: { claimStartsAt: odd, claimEndsAt: { seconds: 6n } },
        validity: { kind: { case: 'fixedDates', value: { endsAt: odd } } },
      },
    });
    const bytes = toBinary(CreatePromotionRequestSchema, request);
    expect(fieldsRefused(() => decodeMessage(CreatePromotionRequestSchema, bytes))).toEqual([
      'promotion.stock.claim_starts_at',
      'promotion.validity.fixed_dates.ends_at',
    ]);
  });
});
