import { create, type DescMessage, type Message } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import { createValidator } from '@bufbuild/protovalidate';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FieldViolation } from '../../src/domain/refusal.ts';
import {
  BatchClaimCouponsRequestSchema,
  ClaimCouponRequestSchema,
  StreamClaimCouponsRequestSchema,
} from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import * as claimRequests from '../../src/gen/hot/claim-requests.ts';
import { HOT_MODULES } from './hot-modules.ts';
import { messages } from './random-messages.ts';

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

const checks = new Map<string, (message: never) => unknown>(Object.entries(claimRequests));
const roots = HOT_MODULES.filter((module) => module.checked).flatMap((module) => module.messages);

describe.each(roots.map((desc) => ({ name: desc.name, desc })))('$name', ({ name, desc }) => {
  const ours = checks.get(`violationsOf${name}`) ?? expect.fail(name);

  test('finds what protovalidate finds, in the same words and order', () => {
    fc.assert(
      fc.property(messages(desc), (message) => {
        expect(ours(message as never)).toEqual(theirs(desc, message));
      }),
      { numRuns: 500 },
    );
  });
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
])('a claim $what', ({ init, fields }) => {
  const message = create(ClaimCouponRequestSchema, init);
  const found = claimRequests.violationsOfClaimCouponRequest(message);
  expect(found.map((violation) => violation.field)).toEqual(fields);
  expect(found).toEqual(theirs(ClaimCouponRequestSchema, message));
});

test.each([0, 1, 999, 1000, 1001])('a batch of %d claims', (size) => {
  const message = create(BatchClaimCouponsRequestSchema, { items: Array(size).fill(item) });
  const found = claimRequests.violationsOfBatchClaimCouponsRequest(message);
  expect(found).toEqual(theirs(BatchClaimCouponsRequestSchema, message));
  expect(found.length).toBe(size < 1 || size > 1000 ? 1 : 0);
});

test.each([0, 256, 257])('a stream message of %d claims', (size) => {
  const message = create(StreamClaimCouponsRequestSchema, { items: Array(size).fill(item) });
  const found = claimRequests.violationsOfStreamClaimCouponsRequest(message);
  expect(found).toEqual(theirs(StreamClaimCouponsRequestSchema, message));
  expect(found.length).toBe(size < 1 || size > 256 ? 1 : 0);
});

test('the place of a faulty item is named', () => {
  const items = [item, { ...item, requestId: '', facts: { tags: ['x', ''] } }];
  const message = create(BatchClaimCouponsRequestSchema, { items });
  const fields = claimRequests.violationsOfBatchClaimCouponsRequest(message).map(({ field }) => field);
  expect(fields).toEqual(['items[1].request_id', 'items[1].facts.tags[1]']);
});
