import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { type CouponValue, encodeCouponValue } from '../domain/coupon.ts';
import type { LiveLimit } from '../domain/live-limit.ts';
import type { ReachWay } from '../domain/promotion.ts';
import { encodeUserFacts, mergeFacts, NO_FACTS } from '../domain/user-facts.ts';
import type { ResolvedCode } from '../engine/evaluation-input.ts';
import { RuleTable } from '../engine/rule-table.ts';
import {
  EvaluateCartRequestSchema,
  EvaluateCartResponseSchema,
  RejectionReason,
} from '../gen/hongbao/v1/cart_service_pb.ts';
import { PromotionSchema } from '../gen/hongbao/v1/promotion_pb.ts';
import { answerItem } from './answer-item.ts';
import { encodeList } from './live-inputs.ts';
import type { EvaluationItem } from './pending-evaluation.ts';
import { readPromotion } from './read-promotion.ts';

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

/** The live state of a moment: facts kept about the user, limits, and codes. */
function liveOf({
  facts = new Uint8Array(),
  limits = [],
  codes = [],
}: {
  facts?: Uint8Array;
  limits?: LiveLimit[];
  codes?: ResolvedCode[];
}): Pick<EvaluationItem, 'live'> {
  return { live: { facts, limits: encodeList(limits), codes: encodeList(codes) } };
}

/** A table of promotions that take 1.00, 2.00, … off, by these ways. */
function tableOf(...ways: ReachWay[]): RuleTable {
  const table = new RuleTable();
  const changes = ways.map((reach, at) => {
    const { definition } = readPromotion(bodyOf(at + 1, 1, BigInt(at + 1) * 100n));
    if (definition === undefined) throw new Error('the sample promotion cannot be read');
    return { ref: at + 1, definition: { ...definition, reach, isActive: true } };
  });
  expect(table.change(changes, 7)).toEqual([]);
  return table;
}

describe('the live state', () => {
  const kept = encodeUserFacts(
    mergeFacts(NO_FACTS, {
      atMs: 1,
      whole: false,
      tags: ['vip'],
      level: 'gold',
      ordersCompleted: 3,
      birthday: '1990-05-17',
      attributes: new Map([
        ['size', 'm'],
        ['colour', 'red'],
      ]),
    }),
  );
  const stated = {
    facts: { tags: ['new'], attributes: [{ name: 'size', value: { case: 'text' as const, value: 'l' } }] },
  };

  it('gives the facts that a caller does not state; those of others count nothing (SPEC S2)', () => {
    const explained = { explain: true, ...stated };
    const item = itemOf(explained, liveOf({ facts: kept }));
    const attributes = (size: string) => [
      { name: 'colour', value: { case: 'text', value: 'red' } },
      { name: 'size', value: { case: 'text', value: size } },
    ];
    const rest = { level: 'gold', birthday: '1990-05-17', ordersCompleted: 3 };
    expect(decide(item).facts).toMatchObject({ ...rest, tags: ['new'], attributes: attributes('l') });
    expect(decide({ ...item, areFactsBelieved: false }).facts).toMatchObject({
      ...rest,
      tags: ['vip'],
      attributes: attributes('m'),
    });
  });

  it('gives limits and codes, and with them comes back byte by byte (SPEC I9, R13)', () => {
    const table = tableOf({ kind: 'automatic' }, { kind: 'automatic' }, { kind: 'single_use_codes' });
    const limits: LiveLimit[] = [
      { promotionRef: 2, uses: { allowed: 5, seen: 5 } },
      { promotionRef: 1, budget: { amountMinor: 1_000, leftMinor: 60 } },
      { promotionRef: 44, userUses: { allowed: 1, seen: 1 } },
    ];
    const codes: ResolvedCode[] = [
      { code: 'k2', promotionRef: 3, state: 'taken' },
      { code: 'k1', promotionRef: 3, state: 'free' },
    ];
    const asked = { codes: ['K1', 'k2 ', 'k3'], explain: true, useWallet: false };
    const item = itemOf(asked, liveOf({ facts: kept, limits, codes }));
    const decision = decide(item, table);
    expect(decision.applied.map(({ promotionId }) => promotionId)).toEqual(['p-3']);
    expect(decision.rejected.map(({ rejection }) => rejection?.reason)).toEqual([
      RejectionReason.BUDGET_EXCEEDED,
      RejectionReason.USES_EXHAUSTED,
      RejectionReason.CODE_USED,
      RejectionReason.CODE_UNKNOWN,
    ]);
    // What is known of promotions that are no candidates is no part of the decision.
    expect(decision.liveLimits.map(({ promotionRef }) => promotionRef)).toEqual([1, 2]);

    const { facts, liveLimits, resolvedCodes } = decision;
    const again = itemOf({ ...asked, facts, liveLimits, resolvedCodes });
    expect(answerItem(again, table, 1)).toEqual(answerItem(item, table, 1));
    const without = decide(itemOf({ ...asked, facts }), table);
    expect(without.factsDigest).not.toEqual(decision.factsDigest);
  });
});
