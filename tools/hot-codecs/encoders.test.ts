import { create, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BatchClaimCouponsResponseSchema,
  ClaimCouponResponseSchema,
  StreamClaimCouponsResponseSchema,
} from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import * as cartResponses from '../../src/gen/hot/cart-responses.ts';
import * as claimResponses from '../../src/gen/hot/claim-responses.ts';
import * as orderQuestions from '../../src/gen/hot/order-questions.ts';
import * as redemptionResponses from '../../src/gen/hot/redemption-responses.ts';
import * as walletResponses from '../../src/gen/hot/wallet-responses.ts';
import { HOT_MODULES } from './hot-modules.ts';
import { contentOf, messages } from './random-messages.ts';

const encoders = new Map<string, (message: never) => Uint8Array>([
  ...Object.entries(claimResponses),
  ...Object.entries(cartResponses),
  ...Object.entries(walletResponses),
  ...Object.entries(redemptionResponses),
  ...Object.entries(orderQuestions),
]);
const roots = HOT_MODULES.filter((module) => module.direction === 'encode').flatMap(
  (module) => module.messages,
);

/** A time in whole milliseconds, which is all that the encoders' numbers can say; a duration is not negative. */
function roundTimes(desc: DescMessage, bytes: Uint8Array): object {
  return roundIn(desc, fromBinary(desc, bytes));
}

function roundIn(desc: DescMessage, message: object): object {
  if (desc.typeName === 'google.protobuf.Timestamp')
    return Object.assign(message, { seconds: 1_700_000_000n + secondsOf(message), nanos: 5_000_000 });
  if (desc.typeName === 'google.protobuf.Duration')
    return Object.assign(message, { seconds: secondsOf(message), nanos: 7_000_000 });
  for (const nested of nestedIn(desc, message)) roundIn(nested.desc, nested.message);
  return message;
}

/** Small and not negative, whatever was drawn; at times zero. */
function secondsOf(time: object): bigint {
  return 'seconds' in time && typeof time.seconds === 'bigint' ? BigInt.asUintN(34, time.seconds) : 0n;
}

function* nestedIn(desc: DescMessage, message: object): Generator<{ desc: DescMessage; message: object }> {
  const values = new Map<string, unknown>(Object.entries(message));
  for (const field of desc.fields) {
    if (field.message === undefined) continue;
    const member: unknown = values.get(field.oneof?.localName ?? field.localName);
    const list = Array.isArray(member) ? member : [field.oneof ? chosen(member, field.localName) : member];
    for (const value of list)
      if (typeof value === 'object' && value !== null) yield { desc: field.message, message: value };
  }
}

function chosen(oneof: unknown, name: string): unknown {
  return typeof oneof === 'object' &&
    oneof !== null &&
    'case' in oneof &&
    oneof.case === name &&
    'value' in oneof
    ? oneof.value
    : undefined;
}

const encodedFields = new Set(HOT_MODULES.flatMap((module) => module.encodedFields ?? []));

/** The content with the nested messages that encoders take as bytes in that form. */
function withEncoded(desc: DescMessage, content: object, message: object): object {
  const values = new Map<string, unknown>(Object.entries(message));
  const entries = Object.entries(content).map(([name, value]): [string, unknown] => {
    const field = desc.fields.find(({ localName }) => localName === name);
    const original = values.get(name);
    if (field?.message === undefined || typeof original !== 'object' || original === null)
      return [name, value];
    if (encodedFields.has(`${desc.name}.${field.name}`)) return [name, encoded(field.message, original)];
    return [name, nestedEncoded(field.message, value, original)];
  });
  return Object.fromEntries(entries);
}

function encoded(desc: DescMessage, original: object): Uint8Array | Uint8Array[] {
  if (Array.isArray(original)) return original.map((item) => toBinary(desc, item));
  return toBinary(desc, original as never);
}

function nestedEncoded(desc: DescMessage, content: unknown, message: unknown): unknown {
  if (Array.isArray(content) && Array.isArray(message))
    return content.map((item, index) => nestedEncoded(desc, item, message[index]));
  if (typeof content !== 'object' || content === null) return content;
  return typeof message === 'object' && message !== null ? withEncoded(desc, content, message) : content;
}

describe.each(roots.map((desc) => ({ name: desc.name, desc })))('$name', ({ name, desc }) => {
  test('is written byte for byte as protobuf-es writes it', () => {
    const encode = encoders.get(`encode${name}`) ?? expect.fail(name);
    fc.assert(
      fc.property(messages(desc, true), (random) => {
        const message = fromBinary(
          desc,
          toBinary(desc, Object.assign(random, roundTimes(desc, toBinary(desc, random)))),
        );
        const ours = encode(nestedEncoded(desc, contentOf(desc, message, true), message) as never);
        expect(Buffer.from(ours).toString('hex')).toBe(Buffer.from(toBinary(desc, message)).toString('hex'));
      }),
      { numRuns: 300 },
    );
  });
});

const claimed = {
  couponId: '0'.repeat(44),
  promotionId: 'welcome',
  promotionVersion: 3,
  replayed: false,
  acknowledgement: 2,
} as const;

test.each([
  0, 1, 999, 1000, 1_700_000_000_123, 4_294_967_296_000, 253_402_300_799_999, -1, -1000, -1_700_000_000_123,
])('a moment of %d ms since 1970 is the same Timestamp', (ms) => {
  const seconds = Math.floor(ms / 1000);
  const expected = create(ClaimCouponResponseSchema, {
    ...claimed,
    issuedAt: { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1_000_000 },
  });
  const bytes = claimResponses.encodeClaimCouponResponse({ ...claimed, issuedAt: ms });
  expect(bytes.toString('hex')).toBe(
    Buffer.from(toBinary(ClaimCouponResponseSchema, expected)).toString('hex'),
  );
});

test.each([Number.NaN, 0.5, Number.POSITIVE_INFINITY, 2 ** 53])('a moment of %d ms is refused', (ms) => {
  expect(() => claimResponses.encodeClaimCouponResponse({ ...claimed, issuedAt: ms })).toThrow(RangeError);
});

test.each([-1, 2 ** 32, 0.5, Number.NaN])(
  'a version of %d is refused, and the next message is whole',
  (promotionVersion) => {
    expect(() => claimResponses.encodeClaimCouponResponse({ ...claimed, promotionVersion })).toThrow(
      RangeError,
    );
    const bytes = claimResponses.encodeClaimCouponResponse(claimed);
    expect(fromBinary(ClaimCouponResponseSchema, bytes)).toEqual(create(ClaimCouponResponseSchema, claimed));
  },
);

test('a negative wait is refused', () => {
  const refusal = { reason: 8, message: '', retryAfter: -1, metadata: {} } as const;
  const results = [{ outcome: { case: 'refusal', value: refusal } }] as const;
  expect(() => claimResponses.encodeBatchClaimCouponsResponse({ results })).toThrow(RangeError);
});

test('an answer larger than the scratch buffer is whole, and so is the small one after it', () => {
  const outcome = { case: 'claimed', value: claimed } as const;
  const results = Array.from({ length: 20_000 }, () => ({ outcome }));
  const batch = claimResponses.encodeBatchClaimCouponsResponse({ results });
  expect(
    batch.equals(
      toBinary(BatchClaimCouponsResponseSchema, create(BatchClaimCouponsResponseSchema, { results })),
    ),
  ).toBe(true);
  const stream = claimResponses.encodeStreamClaimCouponsResponse({ sequence: 9, results: [{ outcome }] });
  const expected = create(StreamClaimCouponsResponseSchema, { sequence: 9, results: [{ outcome }] });
  expect(fromBinary(StreamClaimCouponsResponseSchema, stream)).toEqual(expected);
});

test('an encoded answer stays as it is when the next one is encoded', () => {
  const first = claimResponses.encodeClaimCouponResponse(claimed);
  const copy = Buffer.from(first);
  claimResponses.encodeClaimCouponResponse({ ...claimed, promotionId: 'another' });
  expect(first.equals(copy)).toBe(true);
});
