import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { type CouponValue, encodeCouponValue } from '../domain/coupon.ts';
import { RuleTable } from '../engine/rule-table.ts';
import { EvaluateCartRequestSchema, EvaluateCartResponseSchema } from '../gen/hongbao/v1/cart_service_pb.ts';
import { PromotionSchema } from '../gen/hongbao/v1/promotion_pb.ts';
import { answerItem } from './answer-item.ts';
import type { EvaluationItem } from './pending-evaluation.ts';

function bodyOf(ref: number, version: number, amountMinor: bigint): Uint8Array {
  const promotion = create(PromotionSchema, {
    promotionId: `p-${ref}`,
    ref,
    version,
    currency: 'CNY',
    effect: { kind: { case: 'fixedAmountOff', value: { amountMinor } } },
    reach: { way: { case: 'claimable', value: {} } },
  });
  return toBinary(PromotionSchema, promotion);
}

function couponOf(byte: number, promotionRef: number, changed: Partial<CouponValue> = {}): Uint8Array {
  const value = encodeCouponValue({
    state: 'unused',
    source: 'claim',
    hidden: false,
    promotionRef,
    promotionVersion: 1,
    issuedAtMs: 1_000,
    validFromMs: 1_000,
    ...changed,
  });
  return Buffer.concat([Buffer.alloc(16, byte), value]);
}

function itemOf(
  request: Exclude<MessageInitShape<typeof EvaluateCartRequestSchema>, { $typeName: string }>,
  changed: Partial<EvaluationItem> = {},
): EvaluationItem {
  const cart = {
    currency: 'CNY',
    lines: [{ lineId: '1', itemId: 'tea', quantity: 1, unitPriceMinor: 1_000n }],
  };
  const message = create(EvaluateCartRequestSchema, { cart, useWallet: true, ...request });
  return {
    kind: 'evaluate_cart',
    areFactsBelieved: true,
    nowMs: 5_000,
    request: toBinary(EvaluateCartRequestSchema, message),
    wallet: new Uint8Array(),
    bodies: [],
    lookedUp: [],
    ...changed,
  };
}

function decide(item: EvaluationItem, table = new RuleTable()) {
  const outcome = answerItem(item, table, 1);
  if (outcome.kind !== 'answered') throw new Error(JSON.stringify(outcome));
  return fromBinary(EvaluateCartResponseSchema, outcome.response);
}

describe('older versions that coupons hold', () => {
  const wallet = Buffer.concat([couponOf(1, 7), couponOf(2, 7), couponOf(3, 8)]);

  it('are asked for, each once, and used when they are brought', () => {
    const table = new RuleTable();
    expect(answerItem(itemOf({}, { wallet }), table, 1)).toEqual({
      kind: 'needs',
      versions: [
        { ref: 7, version: 1 },
        { ref: 8, version: 1 },
      ],
    });
    const bodies = [bodyOf(7, 1, 300n), bodyOf(8, 1, 400n)];
    expect(decide(itemOf({}, { wallet, bodies }), table).applied).toMatchObject([
      { promotionId: 'p-8', discountMinor: 400n },
    ]);
    // Brought once, they are known.
    expect(decide(itemOf({}, { wallet }), table).applied).toHaveLength(1);
  });

  it('that do not exist are not asked for again', () => {
    const lookedUp = [
      { ref: 7, version: 1 },
      { ref: 8, version: 1 },
    ];
    const { applied, rejected } = decide(itemOf({}, { wallet, bodies: [bodyOf(7, 1, 300n)], lookedUp }));
    expect(applied).toMatchObject([{ promotionId: 'p-7' }]);
    expect(rejected).toHaveLength(2);
  });
});

// SPEC R13: the same input gives the same answer.
describe('the digest of what was known', () => {
  const [one, two] = [couponOf(1, 7), couponOf(2, 7)];
  const digestOf = (wallet: Uint8Array, tags: readonly string[]): string => {
    const item = itemOf({ facts: { tags: [...tags] } }, { wallet, bodies: [bodyOf(7, 1, 300n)] });
    return Buffer.from(decide(item).factsDigest).toString('hex');
  };

  it('does not depend on the order of coupons and tags, and on everything else', () => {
    const digest = digestOf(Buffer.concat([one, two]), ['a', 'b']);
    expect(digest).toMatch(/^[0-9a-f]{32}$/);
    expect(digestOf(Buffer.concat([two, one]), ['b', 'a'])).toBe(digest);
    const others = [
      digestOf(one, ['a', 'b']),
      digestOf(Buffer.concat([one, two]), ['a']),
      digestOf(Buffer.concat([one, couponOf(2, 7, { state: 'used' })]), ['a', 'b']),
    ];
    expect(new Set([digest, ...others])).toHaveLength(4);
  });

  it('leaves coupons out that the user has hidden, and facts that are not believed', () => {
    const nothing = decide(itemOf({ facts: { tags: ['a'] } }, { areFactsBelieved: false })).factsDigest;
    const hidden = couponOf(1, 7, { state: 'used', hidden: true });
    expect(decide(itemOf({}, { wallet: hidden })).factsDigest).toEqual(nothing);
  });
});
