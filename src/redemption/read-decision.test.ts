import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AppliedPromotionSchema,
  type EvaluateCartResponse,
  EvaluateCartResponseSchema,
  LiveLimitSchema,
  ResolvedCodeSchema,
} from '../gen/hongbao/v1/cart_service_pb.ts';
import { UserFactsSchema } from '../gen/hongbao/v1/user_facts_pb.ts';
import { appliedMessages, readDecision } from './read-decision.ts';

const money = fc.maxSafeNat().map(BigInt);
const small = fc.nat(9);
const text = fc.string({ unit: 'grapheme', maxLength: 6 });
const source = fc.oneof(
  fc.record({ case: fc.constantFrom('couponId' as const, 'code' as const), value: text }),
  fc.constant({ case: undefined }),
);

const response = fc.record({
  ruleSetVersion: money,
  lines: fc.array(fc.record({ lineId: text, discountMinor: money, payableMinor: money }), { maxLength: 3 }),
  totals: fc.option(
    fc.record({
      itemsMinor: money,
      shippingMinor: money,
      itemsDiscountMinor: money,
      shippingDiscountMinor: money,
      payableMinor: money,
    }),
    { nil: undefined },
  ),
  applied: fc.array(
    fc.record({
      promotionId: text,
      promotionVersion: small,
      source,
      discountMinor: money,
      shares: fc.array(fc.record({ lineIndex: small, amountMinor: money }), { maxLength: 2 }),
      gifts: fc.array(fc.record({ itemId: text, quantity: small }), { maxLength: 2 }),
    }),
    { maxLength: 3 },
  ),
  rejected: fc.array(fc.record({ promotionId: text }), { maxLength: 2 }),
  nearMisses: fc.array(fc.record({ promotionId: text }), { maxLength: 2 }),
  bonusPoints: money,
  provenOptimal: fc.boolean(),
  factsDigest: fc.uint8Array({ maxLength: 4 }),
  wallet: fc.array(fc.record({ couponId: text }), { maxLength: 2 }),
  trace: fc.array(fc.record({ promotionId: text }), { maxLength: 2 }),
  facts: fc.option(fc.record({ tags: fc.array(text, { maxLength: 2 }), level: text }), { nil: undefined }),
  liveLimits: fc.array(fc.record({ promotionRef: small }), { maxLength: 2 }),
  resolvedCodes: fc.array(fc.record({ code: text, taken: fc.boolean() }), { maxLength: 2 }),
});

function messageOf({ totals, facts, ...rest }: Parameters<Parameters<typeof response.map>[0]>[0]) {
  return create(EvaluateCartResponseSchema, { ...rest, ...(totals && { totals }), ...(facts && { facts }) });
}

/** What is kept of a response: all but how it came to be and what it was made with. */
function keptOf(message: EvaluateCartResponse): EvaluateCartResponse {
  const { facts: _, ...rest } = message;
  const left = { rejected: [], nearMisses: [], wallet: [], trace: [], liveLimits: [], resolvedCodes: [] };
  return { ...rest, ...left };
}

const noTotals = {
  itemsMinor: 0n,
  shippingMinor: 0n,
  itemsDiscountMinor: 0n,
  shippingDiscountMinor: 0n,
  payableMinor: 0n,
};

test('what is read of a decision is what the contract says', () => {
  fc.assert(
    fc.property(response, (drawn) => {
      const message = messageOf(drawn);
      const decision = readDecision(toBinary(EvaluateCartResponseSchema, message));
      expect(decision).toMatchObject({
        ruleSetVersion: Number(message.ruleSetVersion),
        bonusPoints: Number(message.bonusPoints),
        payableMinors: message.lines.map(({ payableMinor }) => Number(payableMinor)),
      });
      const { itemsMinor, shippingMinor, itemsDiscountMinor, shippingDiscountMinor, payableMinor } =
        message.totals ?? noTotals;
      expect(decision.totals).toEqual({
        itemsMinor: Number(itemsMinor),
        shippingMinor: Number(shippingMinor),
        itemsDiscountMinor: Number(itemsDiscountMinor),
        shippingDiscountMinor: Number(shippingDiscountMinor),
        payableMinor: Number(payableMinor),
      });
      expect(decision.applied).toEqual(
        message.applied.map(({ promotionId, promotionVersion, source: by, discountMinor, gifts }) => ({
          promotionId,
          promotionVersion,
          source: by,
          discountMinor: Number(discountMinor),
          gifts: gifts.map(({ itemId, quantity }) => ({ itemId, quantity })),
        })),
      );
    }),
  );
});

test('what is kept of a decision tells no more than what was decided, and what it was made with stays apart', () => {
  fc.assert(
    fc.property(response, (drawn) => {
      const message = messageOf(drawn);
      const decision = readDecision(toBinary(EvaluateCartResponseSchema, message));
      const kept = new Uint8Array(Buffer.concat(decision.kept));
      expect(fromBinary(EvaluateCartResponseSchema, kept)).toEqual(keptOf(message));
      expect(appliedMessages(kept).map((bytes) => fromBinary(AppliedPromotionSchema, bytes))).toEqual(
        message.applied,
      );
      expect(decision.facts && fromBinary(UserFactsSchema, decision.facts)).toEqual(message.facts);
      expect(decision.liveLimits.map((bytes) => fromBinary(LiveLimitSchema, bytes))).toEqual(
        message.liveLimits,
      );
      expect(decision.resolvedCodes.map((bytes) => fromBinary(ResolvedCodeSchema, bytes))).toEqual(
        message.resolvedCodes,
      );
    }),
  );
});
