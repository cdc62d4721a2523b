/** CouponService on the real product: gRPC by grpc-js, Connect, and JSON, from a promotion to the archive. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BatchClaimCouponsRequestSchema,
  type ClaimCouponRequest,
  ClaimCouponRequestSchema,
  type ClaimResult,
  CouponChange,
  CouponService,
  CouponState,
  CouponView,
  StreamClaimCouponsRequestSchema,
  StreamClaimCouponsResponseSchema,
} from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { PromotionState } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { RefusalReason } from '../../src/gen/hongbao/v1/refusal_pb.ts';
import { type ProductFixture, type PromotionInit, promote, startProduct } from '../product-fixture.ts';
import { openStream } from '../transport/stream-client.ts';
import { wireCalls } from '../transport/wire-clients.ts';

let product: ProductFixture;

beforeAll(async () => {
  product = await startProduct();
}, 120_000);
afterAll(() => product.close(), 60_000);

const { method } = CouponService;

/** Defines and activates a promotion that everybody may claim once. */
function offer(promotionId: string, quantity: bigint, days = 7): Promise<void> {
  const validity: PromotionInit['validity'] = { kind: { case: 'daysAfterClaim', value: { days } } };
  return promote(product.promotions, promotionId, { stock: { quantity }, validity });
}

const claimOf = (
  promotionId: string,
  userId: string,
): Pick<ClaimCouponRequest, 'promotionId' | 'userId' | 'requestId'> => ({
  promotionId,
  userId,
  requestId: `claim-${promotionId}`,
});

const REASON_NAMES = new Map<number, string>(
  Object.entries(RefusalReason).map(([name, number]) => [number, name]),
);

/** The reason of a refused item, or 'claimed'. */
function outcomeOf({ outcome }: ClaimResult): string {
  return outcome.case === 'refusal' ? (REASON_NAMES.get(outcome.value.reason) ?? '?') : String(outcome.case);
}

describe('ClaimCoupon', () => {
  it('answers the same on every protocol: the coupon, and the refusal with its details (SPEC C2, C1)', async () => {
    await offer('every-way', 1n);
    const ways = wireCalls({ grpcPort: product.grpcPort, httpPort: product.httpPort, opsPort: 0 });
    try {
      const claimed = [];
      const refused = [];
      for (const way of Object.values(ways.calls)) {
        claimed.push(
          await way(method.claimCoupon, create(ClaimCouponRequestSchema, claimOf('every-way', 'ann')), {}),
        );
        refused.push(
          await way(method.claimCoupon, create(ClaimCouponRequestSchema, claimOf('every-way', 'bob')), {}),
        );
      }
      expect(claimed[0]).toMatchObject({ ok: { promotionId: 'every-way' } });
      // The first call makes the coupon, the others find it.
      expect(new Set(claimed.slice(1).map((answer) => JSON.stringify(answer)))).toHaveLength(1);
      expect(new Set(refused.map((answer) => JSON.stringify(answer)))).toHaveLength(1);
      expect(refused[0]).toMatchObject({ code: 'FAILED_PRECONDITION' });
      expect(JSON.stringify(refused[0])).toContain('"SOLD_OUT"');
    } finally {
      ways.close();
    }
  });
});

describe('BatchClaimCoupons', () => {
  it('answers 1,000 items in order, each by itself (SPEC C2)', async () => {
    await offer('batch', 600n);
    const items = Array.from({ length: 1_000 }, (_, index) => claimOf('batch', `batch-${index}`));
    items[3] = claimOf('no-such-promotion', 'batch-3');
    const { results } = await product.coupons.batchClaimCoupons({ items });
    const outcomes = results.map(outcomeOf);
    expect(outcomes).toHaveLength(1_000);
    expect(outcomes[3]).toBe('PROMOTION_NOT_FOUND');
    expect(outcomes.filter((outcome) => outcome === 'claimed')).toHaveLength(600);
    expect(outcomes.filter((outcome) => outcome === 'SOLD_OUT')).toHaveLength(399);
    const again = await product.coupons.batchClaimCoupons({ items });
    expect(again.results.map(outcomeOf)).toEqual(outcomes);
  });

  it('refuses 1,001 items, none, and a malformed one, naming the field', async () => {
    const items = (count: number) =>
      Array.from({ length: count }, (_, index) => claimOf('batch', `over-${index}`));
    await expect(product.coupons.batchClaimCoupons({ items: items(1_001) })).rejects.toThrow('not valid');
    await expect(product.coupons.batchClaimCoupons({ items: [] })).rejects.toThrow('not valid');
    const broken = create(BatchClaimCouponsRequestSchema, { items: [claimOf('batch', 'a{b}')] });
    await expect(product.coupons.batchClaimCoupons(broken)).rejects.toThrow('not valid');
  });
});

describe('StreamClaimCoupons', () => {
  it('answers every message with its sequence, over a stream that is never read ahead without bound (SPEC C2)', async () => {
    await offer('stream', 1_000n);
    const messages = Array.from({ length: 100 }, (_, sequence) => {
      const items = Array.from({ length: 16 }, (_, index) =>
        claimOf('stream', `stream-${sequence * 16 + index}`),
      );
      const message = create(StreamClaimCouponsRequestSchema, { sequence, items });
      return Buffer.from(toBinary(StreamClaimCouponsRequestSchema, message));
    });
    const answer = await openStream(product.grpcPort, method.streamClaimCoupons, {}).outcome(messages);
    if (!('ok' in answer) || !Array.isArray(answer.ok)) throw new Error(JSON.stringify(answer));
    const responses = answer.ok.map((hex) =>
      fromBinary(StreamClaimCouponsResponseSchema, Buffer.from(String(hex), 'hex')),
    );
    expect(responses.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual(
      messages.map((_, at) => at),
    );
    const outcomes = responses.flatMap(({ results }) => results.map(outcomeOf));
    expect(outcomes.filter((outcome) => outcome === 'claimed')).toHaveLength(1_000);
    expect(outcomes.filter((outcome) => outcome === 'SOLD_OUT')).toHaveLength(600);
  });
});

describe("a user's coupons", () => {
  it('are listed newest first, paged without a gap, and counted like the lists (SPEC L10)', async () => {
    const ids = ['wallet-a', 'wallet-b', 'wallet-c', 'wallet-d', 'wallet-e'];
    for (const id of ids) await offer(id, 10n);
    for (const promotionId of ids) await product.coupons.claimCoupon(claimOf(promotionId, 'zoe'));
    const seen: (string | undefined)[] = [];
    let pageToken = '';
    do {
      const page = await product.coupons.listCoupons({
        userId: 'zoe',
        pageSize: 2,
        pageToken,
        view: CouponView.AVAILABLE,
      });
      seen.push(...page.coupons.map((coupon) => coupon.promotion?.promotionId));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(seen).toEqual(ids.toReversed());
    const { counts } = await product.coupons.getCouponStatistics({ userId: 'zoe' });
    expect(counts).toMatchObject({ unused: 5n, used: 0n, expired: 0n });
    await expect(product.coupons.listCoupons({ userId: 'zoe', pageToken: 'nonsense' })).rejects.toThrow(
      'page token',
    );
  });

  it('show their history, and can be hidden only when they are over (SPEC L10)', async () => {
    await offer('history', 10n);
    const { couponId } = await product.coupons.claimCoupon(claimOf('history', 'yan'));
    const { coupon, history } = await product.coupons.getCoupon({ userId: 'yan', couponId });
    expect(coupon).toMatchObject({
      couponId,
      state: CouponState.UNUSED,
      promotion: { promotionId: 'history' },
    });
    expect(history.map(({ change }) => change)).toEqual([CouponChange.ISSUED]);
    await expect(product.coupons.hideCoupon({ userId: 'yan', couponId, requestId: 'h' })).rejects.toThrow(
      'can be hidden',
    );
    await expect(product.coupons.getCoupon({ userId: 'xia', couponId })).rejects.toThrow('no such coupon');
  });

  it('lists those that expire soon, soonest first, paged (SPEC L11, L10)', async () => {
    const days = [
      ['soon-2', 2],
      ['soon-1', 1],
      ['late-9', 9],
    ] as const;
    for (const [id, length] of days) {
      await offer(id, 10n, length);
      await product.coupons.claimCoupon(claimOf(id, 'eli'));
    }
    const first = await product.coupons.listExpiringCoupons({ userId: 'eli', pageSize: 1 });
    expect(first.coupons.map(({ promotion }) => promotion?.promotionId)).toEqual(['soon-1']);
    const { coupons, nextPageToken } = await product.coupons.listExpiringCoupons({
      userId: 'eli',
      pageSize: 1,
      pageToken: first.nextPageToken,
    });
    expect(coupons.map(({ promotion }) => promotion?.promotionId)).toEqual(['soon-2']);
    expect(nextPageToken).toBe('');
    const all = await product.coupons.listExpiringCoupons({
      userId: 'eli',
      within: { seconds: 10n * 86_400n, nanos: 0 },
    });
    expect(all.coupons).toHaveLength(3);
  });
});

describe('the claim centre (SPEC L9)', () => {
  it('tells a user what is left, how many he may still take, and why not', async () => {
    await offer('centre', 2n);
    await product.coupons.claimCoupon(claimOf('centre', 'one'));
    const entry = async (userId: string) => {
      const { promotions } = await product.coupons.listClaimablePromotions({ userId, pageSize: 100 });
      return promotions.find(({ promotion }) => promotion?.promotionId === 'centre');
    };
    expect(await entry('two')).toMatchObject({ claimable: true, stockLeft: 1n, ownRemaining: 1n });
    expect(await entry('one')).toMatchObject({
      claimable: false,
      ownRemaining: 0n,
      refusalReason: RefusalReason.USER_LIMIT_REACHED,
    });
    await product.coupons.claimCoupon(claimOf('centre', 'two'));
    expect(await entry('three')).toMatchObject({ claimable: false, refusalReason: RefusalReason.SOLD_OUT });
    const { promotion, stockLeft } = await product.coupons.getPublicPromotion({ promotionId: 'centre' });
    expect(promotion).toMatchObject({ state: PromotionState.FINISHED });
    expect(stockLeft).toBe(0n);
  });

  it('brings a sold-out promotion back to life at once when stock is added (SPEC P6)', async () => {
    await offer('restock', 1n);
    await product.coupons.claimCoupon(claimOf('restock', 'one'));
    await expect(product.coupons.claimCoupon(claimOf('restock', 'two'))).rejects.toThrow('Nothing is left');
    await product.promotions.updatePromotion({
      promotionId: 'restock',
      requestId: 'more',
      promotion: { stock: { quantity: 2n } },
      updateMask: { paths: ['stock'] },
    });
    const coupon = await product.coupons.claimCoupon(claimOf('restock', 'two'));
    expect(coupon.promotionVersion).toBe(3);
  });
});
