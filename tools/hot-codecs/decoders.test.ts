import { type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BatchClaimCouponsResponseSchema } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { PromotionSchema } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import * as cartRequests from '../../src/gen/hot/cart-requests.ts';
import * as claimRequests from '../../src/gen/hot/claim-requests.ts';
import * as redemptionRequests from '../../src/gen/hot/redemption-requests.ts';
import * as walletRequests from '../../src/gen/hot/wallet-requests.ts';
import { emittedDecoder } from './emitted-module.ts';
import { HOT_MODULES } from './hot-modules.ts';
import { contentOf, hostileBytes, messages } from './random-messages.ts';

type Decode = (bytes: Uint8Array) => object;

/** Decoders emitted for the test, from messages that together have every kind of field. */
async function emitted(desc: DescMessage): Promise<[DescMessage, Decode]> {
  const decode = (await emittedDecoder(desc, false)).get(`decode${desc.name}`) ?? expect.fail(desc.name);
  return [desc, (bytes) => decode(bytes as never)];
}

function exported(module: object, desc: DescMessage): Decode {
  return (
    new Map<string, Decode>(Object.entries(module)).get(`decode${desc.name}`) ??
    expect.fail(`decode${desc.name}`)
  );
}

const committed = HOT_MODULES.filter((module) => module.direction === 'decode')
  .flatMap((module) => module.messages)
  .map((desc): [DescMessage, Decode] => [
    desc,
    exported({ ...claimRequests, ...cartRequests, ...redemptionRequests, ...walletRequests }, desc),
  ]);
const promotion = await emitted(PromotionSchema);
const decoders = [...committed, promotion, await emitted(BatchClaimCouponsResponseSchema)];

/** What protobuf-es and the generated decoder make of bytes: a content, or a refusal. */
function outcomes(desc: DescMessage, decode: Decode, bytes: Uint8Array): { theirs: unknown; ours: unknown } {
  return {
    theirs: attempt(() => contentOf(desc, fromBinary(desc, bytes))),
    ours: attempt(() => contentOf(desc, decode(bytes))),
  };
}

function attempt(read: () => unknown): unknown {
  try {
    return { accepted: read() };
  } catch {
    return 'refused';
  }
}

describe.each(decoders.map(([desc, decode]) => ({ name: desc.name, desc, decode })))(
  '$name',
  ({ desc, decode }) => {
    test('reads what protobuf-es wrote', () => {
      fc.assert(
        fc.property(messages(desc), (message) => {
          const { theirs, ours } = outcomes(desc, decode, toBinary(desc, message));
          expect(ours).toEqual(theirs);
        }),
        { numRuns: 300 },
      );
    });

    test('accepts and refuses hostile bytes as protobuf-es does', () => {
      fc.assert(
        fc.property(hostileBytes(desc), (bytes) => {
          const { theirs, ours } = outcomes(desc, decode, bytes);
          expect(ours).toEqual(theirs);
        }),
        { numRuns: 1500 },
      );
    });

    test('agrees with protobuf-es on every truncation', () => {
      const [message] = fc.sample(messages(desc), { numRuns: 1, seed: 7 });
      const whole = toBinary(desc, message ?? expect.fail());
      for (let size = 0; size <= whole.length; size++) {
        const { theirs, ours } = outcomes(desc, decode, whole.subarray(0, size));
        expect(ours).toEqual(theirs);
      }
    });
  },
);

const text = (value: string): number[] => [value.length, ...Buffer.from(value)];
const group = (depth: number): number[] => [
  ...Array<number>(depth).fill(0x7b),
  ...Array<number>(depth).fill(0x7c),
];

test.each([
  { what: 'a repeated singular field', bytes: [0x0a, ...text('a'), 0x0a, ...text('b')], accepted: true },
  { what: 'facts in two parts', bytes: [0x22, 3, 0x0a, ...text('x'), 0x22, 2, 0x18, 5], accepted: true },
  { what: 'an unknown field', bytes: [0x78, 0x01, 0x0a, ...text('a')], accepted: true },
  { what: 'a text announced as varint', bytes: [0x08, ...text('a')], accepted: true },
  { what: 'an unknown group', bytes: group(1), accepted: true },
  { what: '99 nested groups', bytes: group(99), accepted: true },
  { what: '100 nested groups', bytes: group(100), accepted: false },
  { what: '99 nested groups inside facts', bytes: [0x22, ...[198, 1], ...group(99)], accepted: false },
  { what: 'the end of a group that was not started', bytes: [0x7c], accepted: false },
  { what: 'a group that does not end', bytes: [0x7b], accepted: false },
  { what: 'a group ended as another', bytes: [0x7b, 0x74], accepted: false },
  { what: 'invalid UTF-8', bytes: [0x0a, 1, 0xff], accepted: false },
  { what: 'an encoded surrogate', bytes: [0x0a, 3, 0xed, 0xa0, 0x80], accepted: false },
  { what: 'a length beyond the end', bytes: [0x0a, 2, 0x61], accepted: false },
  { what: 'a length of 4 GiB', bytes: [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], accepted: false },
  {
    what: 'a length in ten bytes',
    bytes: [0x0a, 0x81, ...Array<number>(8).fill(0x80), 0, 0x61],
    accepted: true,
  },
  {
    what: 'a length in eleven bytes',
    bytes: [0x0a, 0x81, ...Array<number>(9).fill(0x80), 0, 0x61],
    accepted: false,
  },
  { what: 'field number zero', bytes: [0x02, 0], accepted: false },
  { what: 'wire type 6', bytes: [0x0e, 0], accepted: false },
  { what: 'a tag in six bytes', bytes: [0x8a, 0x80, 0x80, 0x80, 0x80, 0x00, 0], accepted: false },
  { what: 'nothing', bytes: [], accepted: true },
])('ClaimCouponRequest: $what', ({ bytes, accepted }) => {
  const [[desc, decode] = expect.fail()] = committed;
  const { theirs, ours } = outcomes(desc, decode, Uint8Array.from(bytes));
  expect(ours).toEqual(theirs);
  expect(ours !== 'refused').toBe(accepted);
});

test('a message is read from a view in the middle of a larger buffer', () => {
  const bytes = Buffer.from([0xff, 0x0a, 1, 0x61, 0xff]);
  expect(
    claimRequests.decodeClaimCouponRequest(new Uint8Array(bytes.buffer, bytes.byteOffset + 1, 3)).promotionId,
  ).toBe('a');
});

test('facts stay absent when they are not sent', () => {
  expect(claimRequests.decodeClaimCouponRequest(new Uint8Array(0))).toEqual({
    promotionId: '',
    userId: '',
    requestId: '',
  });
});

test('a truth value is true when only a high bit is set', () => {
  const suspendUse = [0xb0, 0x02, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
  const { theirs, ours } = outcomes(...promotion, Uint8Array.from(suspendUse));
  expect(ours).toEqual(theirs);
  expect(ours).toMatchObject({ accepted: { suspendUse: true } });
});
