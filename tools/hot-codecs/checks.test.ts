import { create, type DescMessage, type Message } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import { createValidator } from '@bufbuild/protovalidate';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FieldViolation, Refusal } from '../../src/domain/refusal.ts';
import {
  BatchEvaluateCartsRequestSchema,
  EvaluateCartRequestSchema,
} from '../../src/gen/hongbao/v1/cart_service_pb.ts';
import {
  BatchClaimCouponsRequestSchema,
  ClaimCouponRequestSchema,
  StreamClaimCouponsRequestSchema,
} from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import * as cartRequests from '../../src/gen/hot/cart-requests.ts';
import * as claimRequests from '../../src/gen/hot/claim-requests.ts';
import * as redemptionRequests from '../../src/gen/hot/redemption-requests.ts';
import * as walletRequests from '../../src/gen/hot/wallet-requests.ts';
import { ODD_NANOS } from '../../src/wire/checks.ts';
import { refuseOddTimes } from '../../src/wire/odd-times.ts';
import { HOT_MODULES } from './hot-modules.ts';
import { contentOf, messages } from './random-messages.ts';

const validator = createValidator();

function theirs(desc: DescMessage, message: Message): FieldViolation[] {
  const result = validator.validate(desc, message);
  if (result.kind === 'error') throw result.error;
  if (result.kind === 'valid') return [];
  return result.violations.map((violation) => ({
    field: pathToString(violation.field),
    description: violation.message,
  }));
}

/** The same of what the general decoding refuses. */
function oddTimes(desc: DescMessage, message: Message): readonly FieldViolation[] {
  try {
    refuseOddTimes(desc, message);
    return [];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.detail.violations ?? [];
  }
}

const checks = new Map<string, (message: never) => readonly FieldViolation[]>([
  ['ClaimCouponRequest', claimRequests.violationsOfClaimCouponRequest],
  ['BatchClaimCouponsRequest', claimRequests.violationsOfBatchClaimCouponsRequest],
  ['StreamClaimCouponsRequest', claimRequests.violationsOfStreamClaimCouponsRequest],
  ['ListCouponsRequest', walletRequests.violationsOfListCouponsRequest],
  ['ReserveCouponsRequest', redemptionRequests.violationsOfReserveCouponsRequest],
  ['UseCouponsRequest', redemptionRequests.violationsOfUseCouponsRequest],
  ['CommitReservationRequest', redemptionRequests.violationsOfCommitReservationRequest],
  ['ReleaseReservationRequest', redemptionRequests.violationsOfReleaseReservationRequest],
  ['EvaluateCartRequest', cartRequests.violationsOfEvaluateCartRequest],
  ['BatchEvaluateCartsRequest', cartRequests.violationsOfBatchEvaluateCartsRequest],
  ['ListUsableCouponsRequest', cartRequests.violationsOfListUsableCouponsRequest],
  ['ValidateCouponRequest', cartRequests.violationsOfValidateCouponRequest],
]);
const roots = HOT_MODULES.filter((module) => module.checked).flatMap((module) => module.messages);

function violationsOf(desc: DescMessage, message: Message): readonly FieldViolation[] {
  const check = checks.get(desc.name) ?? expect.fail(desc.name);
  return check(contentOf(desc, message) as never);
}

describe.each(roots.map((desc) => ({ name: desc.name, desc })))('$name', ({ desc }) => {
  test('finds what protovalidate and the general decoding find, in the same words and order', () => {
    fc.assert(
      fc.property(messages(desc), (message) => {
        const found = violationsOf(desc, message);
        const isOdd = ({ description }: FieldViolation) => description === ODD_NANOS;
        expect(found.filter((violation) => !isOdd(violation))).toEqual(theirs(desc, message));
        expect(found.filter(isOdd)).toEqual(oddTimes(desc, message));
      }),
      { numRuns: 300 },
    );
  });
});

const line = { lineId: 'l1', itemId: 'duck', quantity: 1, unitPriceMinor: 100n };
const cart = { currency: 'CNY', lines: [line] };
const withLine = (change: object): object => ({ cart: { ...cart, lines: [{ ...line, ...change }] } });
const withAttribute = (value: object): object => ({
  cart: { ...cart, attributes: [{ name: 'table', value }] },
});
const heldCoupon = {
  couponId: 'ab'.repeat(22),
  promotionRef: 1,
  promotionVersion: 1,
  state: 1,
  validFrom: { seconds: 0n },
};
const times = (count: number, element: unknown): unknown[] => Array<unknown>(count).fill(element);

test.each([
  { what: 'with one line', init: { cart }, fields: [] },
  { what: 'with no line', init: { cart: { currency: 'CNY' } }, fields: [] },
  { what: 'without a cart', init: {}, fields: ['cart'] },
  { what: 'of 5,000 lines', init: { cart: { ...cart, lines: times(5_000, line) } }, fields: [] },
  { what: 'of 5,001 lines', init: { cart: { ...cart, lines: times(5_001, line) } }, fields: ['cart.lines'] },
  { what: 'in yuan by a sign', init: { cart: { ...cart, currency: '¥' } }, fields: ['cart.currency'] },
  { what: 'of a line without a name', init: withLine({ lineId: '' }), fields: ['cart.lines[0].line_id'] },
  { what: 'of 0 units', init: withLine({ quantity: 0 }), fields: ['cart.lines[0].quantity'] },
  { what: 'of 1,000,000 units', init: withLine({ quantity: 1_000_000 }), fields: [] },
  { what: 'of 1,000,001 units', init: withLine({ quantity: 1_000_001 }), fields: ['cart.lines[0].quantity'] },
  { what: 'of 50 categories', init: withLine({ categoryIds: times(50, 'c') }), fields: [] },
  {
    what: 'of 51 categories',
    init: withLine({ categoryIds: times(51, 'c') }),
    fields: ['cart.lines[0].category_ids'],
  },
  { what: 'that is free', init: withLine({ unitPriceMinor: 0n }), fields: [] },
  { what: 'at the greatest price', init: withLine({ unitPriceMinor: 2n ** 53n - 1n }), fields: [] },
  ...[2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -1n, -(2n ** 63n)].map((unitPriceMinor) => ({
    what: `at ${unitPriceMinor}`,
    init: withLine({ unitPriceMinor }),
    fields: ['cart.lines[0].unit_price_minor'],
  })),
  { what: 'with 500 codes', init: { cart, codes: times(500, 'a') }, fields: [] },
  { what: 'with 501 codes', init: { cart, codes: times(501, 'a') }, fields: ['codes'] },
  { what: 'with a code of 65 characters', init: { cart, codes: ['a'.repeat(65)] }, fields: ['codes[0]'] },
  { what: 'with 0 coupons per order', init: { cart, couponsPerOrder: 0 }, fields: ['coupons_per_order'] },
  { what: 'with 20 coupons per order', init: { cart, couponsPerOrder: 20 }, fields: [] },
  { what: 'with 21 coupons per order', init: { cart, couponsPerOrder: 21 }, fields: ['coupons_per_order'] },
  { what: 'by version 0', init: { cart, ruleSetVersion: 0n }, fields: ['rule_set_version'] },
  {
    what: 'by a version beyond all',
    init: { cart, ruleSetVersion: 2n ** 64n - 1n },
    fields: ['rule_set_version'],
  },
  { what: 'with an attribute', init: withAttribute({ case: 'flag', value: false }), fields: [] },
  {
    what: 'with an empty attribute',
    init: withAttribute({ case: undefined }),
    fields: ['cart.attributes[0].value'],
  },
  {
    what: 'with an attribute of -(2^53 - 1)',
    init: withAttribute({ case: 'number', value: -(2n ** 53n) + 1n }),
    fields: [],
  },
  {
    what: 'with an attribute of -2^53',
    init: withAttribute({ case: 'number', value: -(2n ** 53n) }),
    fields: ['cart.attributes[0].number'],
  },
  {
    what: 'with a coupon chosen twice',
    init: { cart, selection: { couponIds: times(2, 'ab'.repeat(22)) } },
    fields: ['selection.coupon_ids'],
  },
  { what: 'with a wallet', init: { cart, heldCoupons: [heldCoupon] }, fields: [] },
  {
    what: 'with a wallet of no state and time',
    init: { cart, heldCoupons: [{ ...heldCoupon, state: 0, validFrom: undefined }] },
    fields: ['held_coupons[0].state', 'held_coupons[0].valid_from'],
  },
])('a cart $what', ({ init, fields }) => {
  const message = create(EvaluateCartRequestSchema, init as never);
  const found = violationsOf(EvaluateCartRequestSchema, message);
  expect(found.map((violation) => violation.field)).toEqual(fields);
  expect(found).toEqual(theirs(EvaluateCartRequestSchema, message));
});

test.each([0, 1, 100, 101])('a batch of %d carts', (size) => {
  const message = create(BatchEvaluateCartsRequestSchema, { items: Array(size).fill({ cart }) });
  const found = violationsOf(BatchEvaluateCartsRequestSchema, message);
  expect(found).toEqual(theirs(BatchEvaluateCartsRequestSchema, message));
  expect(found.length).toBe(size < 1 || size > 100 ? 1 : 0);
});

const item = { promotionId: 'welcome', userId: 'user-1', requestId: 'r1' };

test.each([
  { what: 'valid', init: item, fields: [] },
  { what: 'without a user', init: { ...item, userId: '' }, fields: [] },
  { what: 'with nothing', init: {}, fields: ['promotion_id', 'request_id'] },
  {
    what: 'with a promotion id of 63 characters',
    init: { ...item, promotionId: 'a'.repeat(63) },
    fields: [],
  },
  {
    what: 'with a promotion id of 64 characters',
    init: { ...item, promotionId: 'a'.repeat(64) },
    fields: ['promotion_id'],
  },
  {
    what: 'with a promotion id that ends in a line break',
    init: { ...item, promotionId: 'a\n' },
    fields: ['promotion_id'],
  },
  { what: 'with a tag of 64 emoji', init: { ...item, facts: { tags: ['😀'.repeat(64)] } }, fields: [] },
  {
    what: 'with a tag of 65 emoji',
    init: { ...item, facts: { tags: ['x', '😀'.repeat(65)] } },
    fields: ['facts.tags[1]'],
  },
  { what: 'with an empty tag', init: { ...item, facts: { tags: [''] } }, fields: ['facts.tags[0]'] },
  { what: 'with 100 tags', init: { ...item, facts: { tags: Array(100).fill('x') } }, fields: [] },
  { what: 'with 101 tags', init: { ...item, facts: { tags: Array(101).fill('x') } }, fields: ['facts.tags'] },
  { what: 'registered in 1970', init: { ...item, facts: { registeredAt: { seconds: 0n } } }, fields: [] },
  {
    what: 'registered before 1970',
    init: { ...item, facts: { registeredAt: { seconds: -1n, nanos: 999_999_999 } } },
    fields: ['facts.registered_at'],
  },
  {
    what: 'registered at the end of 9999',
    init: { ...item, facts: { registeredAt: { seconds: 253_402_300_799n } } },
    fields: [],
  },
  {
    what: 'registered after 9999',
    init: { ...item, facts: { registeredAt: { seconds: 253_402_300_799n, nanos: 1 } } },
    fields: ['facts.registered_at'],
  },
  {
    what: 'registered in the last nanosecond of a second',
    init: { ...item, facts: { registeredAt: { seconds: 1n, nanos: 999_999_999 } } },
    fields: [],
  },
])('a claim $what', ({ init, fields }) => {
  const message = create(ClaimCouponRequestSchema, init);
  const found = violationsOf(ClaimCouponRequestSchema, message);
  expect(found.map((violation) => violation.field)).toEqual(fields);
  expect(found).toEqual(theirs(ClaimCouponRequestSchema, message));
});

test.each([-(2 ** 31), -1, 1_000_000_000, 2 ** 31 - 1])('a claim registered at 1 s and %d ns', (nanos) => {
  const init = { ...item, facts: { registeredAt: { seconds: 1n, nanos } } };
  const message = create(ClaimCouponRequestSchema, init);
  const found = violationsOf(ClaimCouponRequestSchema, message);
  expect(found).toEqual([{ field: 'facts.registered_at', description: ODD_NANOS }]);
});

test.each([0, 1, 999, 1000, 1001])('a batch of %d claims', (size) => {
  const message = create(BatchClaimCouponsRequestSchema, { items: Array(size).fill(item) });
  const found = violationsOf(BatchClaimCouponsRequestSchema, message);
  expect(found).toEqual(theirs(BatchClaimCouponsRequestSchema, message));
  expect(found.length).toBe(size < 1 || size > 1000 ? 1 : 0);
});

test.each([0, 256, 257])('a stream message of %d claims', (size) => {
  const message = create(StreamClaimCouponsRequestSchema, { items: Array(size).fill(item) });
  const found = violationsOf(StreamClaimCouponsRequestSchema, message);
  expect(found).toEqual(theirs(StreamClaimCouponsRequestSchema, message));
  expect(found.length).toBe(size < 1 || size > 256 ? 1 : 0);
});

test('the place of a faulty item is named', () => {
  const items = [item, { ...item, requestId: '', facts: { tags: ['x', ''] } }];
  const message = create(BatchClaimCouponsRequestSchema, { items });
  const fields = violationsOf(BatchClaimCouponsRequestSchema, message).map(({ field }) => field);
  expect(fields).toEqual(['items[1].request_id', 'items[1].facts.tags[1]']);
});
