import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../domain/refusal.ts';
import {
  EvaluateCartRequestSchema,
  ListUsableCouponsRequestSchema,
  ValidateCouponRequestSchema,
} from '../../gen/hongbao/v1/cart_service_pb.ts';
import { readUsableCouponsQuestion, readValidationQuestion } from './read-coupon-question.ts';
import { type EvaluationRequest, readEvaluation } from './read-evaluation.ts';

const NOW_MS = 1_760_000_000_123;
const circumstances = { areFactsBelieved: true, nowMs: NOW_MS, couponsPerOrder: 1 };
const line = { lineId: 'a', itemId: 'duck', quantity: 2, unitPriceMinor: 6_000n };
const cart = { currency: 'CNY', lines: [line] };
const COUPON = 'ab'.repeat(22);

const bytesOf = (init: object): Uint8Array =>
  toBinary(EvaluateCartRequestSchema, create(EvaluateCartRequestSchema, init as never));
const read = (init: object, changes: object = {}): EvaluationRequest =>
  readEvaluation(bytesOf(init), { ...circumstances, ...changes });

function refusalOf(work: () => unknown): Refusal {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  expect.fail('it was not refused');
}

const fieldsOf = (work: () => unknown): string[] | undefined => {
  const { reason, detail } = refusalOf(work);
  expect(reason).toBe('INVALID_REQUEST');
  return detail.violations?.map(({ field }) => field);
};

test('what a request leaves out has its default or is absent', () => {
  expect(read({ cart: { currency: 'CNY' } })).toEqual({
    userId: '',
    usesWallet: false,
    explains: false,
    input: {
      cart: { currency: 'CNY', taxMode: 'included', lines: [], shippingMinor: 0, attributes: new Map() },
      offers: new Map(),
      facts: {},
      atMs: NOW_MS,
      codes: [],
      selection: { kind: 'best' },
      couponsPerOrder: 1,
      wantsTrace: false,
      resolvedCodes: [],
      limits: [],
    },
  });
});

const attributes = [
  { name: 'table', value: { case: 'text', value: 'window' } },
  { name: 'guests', value: { case: 'number', value: -4n } },
  { name: 'vip', value: { case: 'flag', value: false } },
];
const attributeValues = new Map<string, unknown>([
  ['table', 'window'],
  ['guests', -4],
  ['vip', false],
]);

const whole = {
  userId: 'user-1',
  useWallet: true,
  codes: ['Welcome '],
  cart: {
    currency: 'JPY',
    taxMode: 2,
    lines: [{ ...line, categoryIds: ['poultry', 'hot'], onSale: true }],
    shippingMinor: 800n,
    channel: 'app',
    region: 'sh',
    paymentMethod: 'card',
    attributes,
  },
  facts: {
    tags: ['vip', 'gold'],
    registeredAt: { seconds: 5n, nanos: 6_999_999 },
    ordersCompleted: 0,
    attributes,
  },
  at: { seconds: 1_700_000_000n, nanos: 1_999_999 },
  couponsPerOrder: 3,
  selection: { couponIds: [COUPON], codes: ['welcome'] },
  offers: [
    { itemId: 'tea', unitPriceMinor: 900n },
    { itemId: 'cup', unavailable: true },
  ],
  explain: true,
  ruleSetVersion: 41n,
  heldCoupons: [
    { couponId: COUPON, promotionRef: 7, promotionVersion: 2, state: 1, validFrom: { seconds: 5n } },
    {
      couponId: 'cd'.repeat(22),
      promotionRef: 8,
      promotionVersion: 1,
      state: 5,
      validFrom: { seconds: 0n },
      expiresAt: { seconds: 9n },
    },
  ],
};

test('every field of a request is read', () => {
  expect(read(whole)).toEqual({
    userId: 'user-1',
    usesWallet: true,
    explains: true,
    ruleSetVersion: 41,
    heldCoupons: [
      { couponId: COUPON, promotionRef: 7, promotionVersion: 2, state: 'unused', validFromMs: 5_000 },
      {
        couponId: 'cd'.repeat(22),
        promotionRef: 8,
        promotionVersion: 1,
        state: 'revoked',
        validFromMs: 0,
        expiresAtMs: 9_000,
      },
    ],
    input: {
      cart: {
        currency: 'JPY',
        taxMode: 'excluded',
        lines: [
          {
            lineId: 'a',
            itemId: 'duck',
            categoryIds: ['poultry', 'hot'],
            quantity: 2,
            unitPriceMinor: 6_000,
            isOnSale: true,
          },
        ],
        shippingMinor: 800,
        channel: 'app',
        region: 'sh',
        paymentMethod: 'card',
        attributes: attributeValues,
      },
      offers: new Map([
        ['tea', { unitPriceMinor: 900, isAvailable: true }],
        ['cup', { unitPriceMinor: 0, isAvailable: false }],
      ]),
      facts: {
        tags: new Set(['vip', 'gold']),
        registeredAtMs: 5_006,
        ordersCompleted: 0,
        attributes: attributeValues,
      },
      atMs: 1_700_000_000_001,
      codes: ['Welcome '],
      selection: { kind: 'own', couponIds: [COUPON], codes: ['welcome'] },
      couponsPerOrder: 3,
      wantsTrace: true,
      resolvedCodes: [],
      limits: [],
    },
  });
});

// SPEC S2
test('facts from a caller who may not state them are ignored', () => {
  expect(read(whole, { areFactsBelieved: false }).input.facts).toEqual({});
});

test('a selection of nothing uses nothing', () => {
  expect(read({ cart, selection: {} }).input.selection).toEqual({ kind: 'own', couponIds: [], codes: [] });
});

const MOST = 2n ** 53n - 1n;
const withLines = (...changes: object[]): object => ({
  cart: { ...cart, lines: changes.map((change, at) => ({ ...line, lineId: `l${at}`, ...change })) },
});

// SPEC R14 and hostile carts
describe.each([
  { what: 'no line', init: { cart: { currency: 'CNY' } }, fields: [] },
  { what: 'no cart', init: {}, fields: ['cart'] },
  { what: 'an unknown currency', init: { cart: { ...cart, currency: 'XQQ' } }, fields: ['cart.currency'] },
  {
    what: 'line ids twice, not side by side',
    init: withLines({ lineId: 'a' }, { lineId: 'b' }, { lineId: 'a' }, { lineId: 'b' }),
    fields: ['cart.lines[2].line_id', 'cart.lines[3].line_id'],
  },
  { what: 'line ids that fall', init: withLines({ lineId: '10' }, { lineId: '9' }), fields: [] },
  { what: 'the greatest price', init: withLines({ quantity: 1, unitPriceMinor: MOST }), fields: [] },
  {
    what: 'the greatest price twice',
    init: withLines({ quantity: 2, unitPriceMinor: MOST }),
    fields: ['cart.lines[0]'],
  },
  {
    what: 'a product of 2^53',
    init: withLines({ quantity: 8, unitPriceMinor: 2n ** 50n }),
    fields: ['cart.lines[0]'],
  },
  {
    what: 'the greatest sum',
    init: withLines({ quantity: 1, unitPriceMinor: MOST - 1n }, { quantity: 1, unitPriceMinor: 1n }),
    fields: [],
  },
  {
    what: 'one more than the greatest sum',
    init: withLines({ quantity: 1, unitPriceMinor: MOST }, { quantity: 1, unitPriceMinor: 1n }),
    fields: ['cart.lines[1]'],
  },
  {
    what: 'shipping that takes the sum too far',
    init: { cart: { ...cart, lines: [{ ...line, quantity: 1, unitPriceMinor: MOST }], shippingMinor: 1n } },
    fields: ['cart.shipping_minor'],
  },
  {
    what: 'attributes twice',
    init: {
      cart: { ...cart, attributes: [...attributes, ...attributes.slice(0, 1)] },
      facts: { attributes: [...attributes.slice(2), ...attributes] },
    },
    fields: ['cart.attributes[3].name', 'facts.attributes[3].name'],
  },
  {
    what: 'an offer twice',
    init: { cart, offers: [{ itemId: 'tea' }, { itemId: 'tea' }] },
    fields: ['offers[1].item_id'],
  },
  {
    what: 'a coupon twice in a wallet that is not used',
    init: { cart, heldCoupons: [whole.heldCoupons[0], whole.heldCoupons[0]] },
    fields: ['held_coupons[1].coupon_id', 'held_coupons'],
  },
  {
    what: 'several faults',
    init: { cart: { currency: 'XQQ', lines: [line, line] }, offers: [{ itemId: 'tea' }, { itemId: 'tea' }] },
    fields: ['cart.currency', 'cart.lines[1].line_id', 'offers[1].item_id'],
  },
])('a cart with $what', ({ init, fields }) => {
  test(fields.length === 0 ? 'is read' : 'is refused with the path of each fault', () => {
    if (fields.length === 0) expect(read(init).input.cart.lines).toBeDefined();
    else expect(fieldsOf(() => read(init))).toEqual(fields);
  });
});

test('what the contract forbids is found first, with at most 100 faults named', () => {
  const lines = Array.from({ length: 5_000 }, () => ({ ...line, quantity: 0 }));
  const { message, detail } = refusalOf(() => read({ cart: { ...cart, lines } }));
  expect(detail.violations).toHaveLength(100);
  expect(message).toContain('cart.lines[0].quantity');
  expect(message).toContain('4999 more');
});

test('bytes that are no message are refused', () => {
  expect(refusalOf(() => readEvaluation(Uint8Array.of(0x0a, 9), circumstances)).reason).toBe(
    'INVALID_REQUEST',
  );
});

// SPEC R12
describe('questions about coupons', () => {
  const listed = (init: object): Uint8Array =>
    toBinary(ListUsableCouponsRequestSchema, create(ListUsableCouponsRequestSchema, init as never));
  const validated = (init: object): Uint8Array =>
    toBinary(ValidateCouponRequestSchema, create(ValidateCouponRequestSchema, init as never));
  const summary = { currency: 'CNY', totalMinor: 15_000n };
  const input = {
    offers: new Map(),
    facts: {},
    atMs: NOW_MS,
    codes: [],
    selection: { kind: 'best' },
    couponsPerOrder: 1,
    wantsTrace: false,
    resolvedCodes: [],
    limits: [],
  };

  test('a total is an order', () => {
    const bytes = listed({ order: { case: 'summary', value: summary } });
    expect(readUsableCouponsQuestion(bytes, circumstances)).toEqual({
      userId: '',
      order: {
        kind: 'summary',
        summary: {
          currency: 'CNY',
          taxMode: 'included',
          totalMinor: 15_000,
          shippingMinor: 0,
          attributes: new Map(),
        },
      },
      input,
    });
  });

  test('a summary is read field by field', () => {
    const value = {
      ...summary,
      shippingMinor: 800n,
      itemIds: ['duck', 'tea'],
      channel: 'app',
      region: 'sh',
      paymentMethod: 'card',
      attributes,
    };
    const { order } = readUsableCouponsQuestion(listed({ order: { case: 'summary', value } }), circumstances);
    expect(order).toEqual({
      kind: 'summary',
      summary: {
        currency: 'CNY',
        taxMode: 'included',
        totalMinor: 15_000,
        shippingMinor: 800,
        itemIds: new Set(['duck', 'tea']),
        channel: 'app',
        region: 'sh',
        paymentMethod: 'card',
        attributes: attributeValues,
      },
    });
  });

  test('a whole cart is an order, for a user at a moment', () => {
    const bytes = listed({
      userId: 'user-1',
      order: { case: 'cart', value: cart },
      facts: { ordersCompleted: 2 },
      at: { seconds: 7n },
    });
    const question = readUsableCouponsQuestion(bytes, circumstances);
    expect(question).toMatchObject({
      userId: 'user-1',
      order: { kind: 'cart', cart: { lines: [{ lineId: 'a', unitPriceMinor: 6_000 }] } },
      input: { facts: { ordersCompleted: 2 }, atMs: 7_000 },
    });
  });

  test.each([
    {
      subject: { case: 'couponId', value: COUPON },
      expected: { kind: 'coupon', couponId: COUPON },
      codes: [],
    },
    { subject: { case: 'code', value: ' ABC' }, expected: { kind: 'code', code: ' ABC' }, codes: [' ABC'] },
  ])('one $subject.case is validated', ({ subject, expected, codes }) => {
    const bytes = validated({ subject, order: { case: 'summary', value: summary } });
    const question = readValidationQuestion(bytes, circumstances);
    expect(question).toMatchObject({ subject: expected, input: { ...input, codes } });
  });

  test.each([
    { what: 'nothing', init: {}, fields: ['subject', 'order'] },
    {
      what: 'a total beyond the safe range',
      init: {
        subject: { case: 'code', value: 'abc' },
        order: { case: 'summary', value: { ...summary, totalMinor: MOST, shippingMinor: 1n } },
      },
      fields: ['summary.shipping_minor'],
    },
    {
      what: 'a total in an unknown currency',
      init: {
        subject: { case: 'code', value: 'abc' },
        order: { case: 'summary', value: { ...summary, currency: 'XQQ' } },
      },
      fields: ['summary.currency'],
    },
    {
      what: 'a cart with a line id twice',
      init: {
        subject: { case: 'code', value: 'abc' },
        order: { case: 'cart', value: { ...cart, lines: [line, line] } },
      },
      fields: ['cart.lines[1].line_id'],
    },
  ])('a question with $what is refused', ({ init, fields }) => {
    expect(fieldsOf(() => readValidationQuestion(validated(init), circumstances))).toEqual(fields);
  });
});
