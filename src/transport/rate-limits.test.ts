// SPEC S1: nobody takes more than a share: limits per caller and per user.
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../config/config.ts';
import type { Identity } from '../domain/identity.ts';
import {
  ClaimCouponRequestSchema,
  GetPublicPromotionRequestSchema,
} from '../gen/hongbao/v1/coupon_service_pb.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { RateLimits } from './rate-limits.ts';
import { TokenBuckets } from './rate-limits-buckets.ts';
import { userReaderOf } from './rate-limits-user-field.ts';

describe('buckets', () => {
  test('a burst at once, then the rate, whatever the pattern', () => {
    const buckets = new TokenBuckets({ perSecond: 10, burst: 20 }, [1, 2]);
    const took = (nowMs: number) => buckets.take('alice', nowMs) === 0;
    const countAt = (nowMs: number) => Array.from({ length: 100 }, () => took(nowMs)).filter(Boolean).length;
    expect(countAt(1_000)).toBe(20);
    expect(countAt(1_500)).toBe(5);
    expect(countAt(100_000)).toBe(20);
    let later = 0;
    for (let nowMs = 100_001; nowMs <= 110_000; nowMs += 1) later += took(nowMs) ? 1 : 0;
    expect(later).toBe(100);
  });

  test('who is refused is told when to come back, and then gets in', () => {
    const buckets = new TokenBuckets({ perSecond: 10, burst: 1 }, [1, 2]);
    expect(buckets.take('alice', 0)).toBe(0);
    const waitMs = buckets.take('alice', 0);
    expect(waitMs).toBe(100);
    expect(buckets.take('alice', waitMs - 1)).toBeGreaterThan(0);
    expect(buckets.take('alice', waitMs)).toBe(0);
  });

  test('one name that floods does not keep others out', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
    for (let call = 0; call < 1000; call += 1) buckets.take('flood', 0);
    const refused = Array.from({ length: 2_000 }, (_, index) => buckets.take(`user-${index}`, 0)).filter(
      (waitMs) => waitMs > 0,
    );
    // Two thousand names over 65,536 slots of two rows: a name that finds both taken is one in a thousand.
    expect(refused.length).toBeLessThan(20);
  });

  test('a clock that goes back gives nobody tokens', () => {
    const buckets = new TokenBuckets({ perSecond: 1000, burst: 1 }, [1, 2]);
    expect(buckets.take('alice', 5_000)).toBe(0);
    expect(buckets.take('alice', 1_000)).toBeGreaterThan(0);
  });
});

describe('limits', () => {
  const service: Identity = { kind: 'service', actor: 'gateway', scopes: new Set() };
  const alice: Identity = { kind: 'end_user', actor: 'alice', userId: 'alice', scopes: new Set() };
  const limitsWith = (rates: Partial<ReturnType<typeof readConfig>['rates']>) => {
    const metrics = createMetrics({ version: 'test', node: 'test' });
    return { metrics, limits: new RateLimits({ ...readConfig('health', {}).rates, ...rates }, metrics) };
  };

  test('a caller over its limit is told by whose limit and when to come back', () => {
    const { limits, metrics } = limitsWith({ callerPerSecond: 5, callerBurst: 1 });
    expect(limits.ofCaller(service, 0)).toBeUndefined();
    expect(limits.ofCaller(service, 0)).toMatchObject({
      reason: 'RATE_LIMITED',
      detail: { metadata: { limit: 'caller', per_second: '5' }, retryAfterMs: 200 },
    });
    expect(metrics.rateLimited.child('caller').value).toBe(1);
  });

  test('kinds do not share a bucket, and a user is one however it is called for', () => {
    const { limits } = limitsWith({ callerPerSecond: 5, callerBurst: 2, userPerSecond: 5, userBurst: 1 });
    expect(limits.ofCaller(alice, 0)).toBeUndefined();
    expect(limits.ofUser('alice', 0)).toMatchObject({ detail: { metadata: { limit: 'user' } } });
    expect(limits.ofCaller({ ...service, actor: 'alice' }, 0)).toBeUndefined();
  });

  test('nothing is counted where there is no limit', () => {
    const { limits } = limitsWith({ callerPerSecond: 0, userPerSecond: 0 });
    expect(limits.countsUsers).toBe(false);
    for (let call = 0; call < 10_000; call += 1) expect(limits.ofCaller(alice, 0)).toBeUndefined();
  });
});

describe('the user of a request', () => {
  const read = userReaderOf(ClaimCouponRequestSchema);
  const USER_FIELD = ClaimCouponRequestSchema.field.userId.number;
  const bytes = (userId: string) =>
    toBinary(
      ClaimCouponRequestSchema,
      create(ClaimCouponRequestSchema, { userId, promotionId: 'p', requestId: 'r' }),
    );

  test('is read from the bytes, wherever it stands; the last one counts', () => {
    expect(read?.(bytes('alice'))).toBe('alice');
    expect(read?.(Buffer.concat([bytes('mallory'), bytes('alice')]))).toBe('alice');
    expect(read?.(bytes('a'.repeat(200)))).toBe('a'.repeat(200));
  });

  test('is the last text of its field, whatever stands around it', () => {
    const field = fc.tuple(
      fc.integer({ min: 1, max: 40 }),
      fc.string({ unit: 'grapheme-ascii', maxLength: 140 }),
    );
    fc.assert(
      fc.property(fc.array(field, { maxLength: 8 }), fc.boolean(), (fields, hasNumber) => {
        const writer = new BinaryWriter();
        if (hasNumber) writer.tag(USER_FIELD + 1, WireType.Varint).uint32(300);
        for (const [number, text] of fields) writer.tag(number, WireType.LengthDelimited).string(text);
        const [, named = ''] = fields.findLast(([number]) => number === USER_FIELD) ?? [];
        expect(read?.(writer.finish())).toBe(named);
      }),
    );
  });

  test.each(['', '0a', '0aff', '0a05616c', 'ffffffffffffffff', '0aff01'])(
    'garbage %s names nobody',
    (hex) => {
      expect(read?.(Buffer.from(hex, 'hex'))).toBe('');
    },
  );

  test('requests about no user have none', () => {
    expect(GetPublicPromotionRequestSchema.fields.map(({ name }) => name)).not.toContain('user_id');
    expect(userReaderOf(GetPublicPromotionRequestSchema)).toBeUndefined();
  });
});
