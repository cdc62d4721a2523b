/** Redemptions on a real ledger, with decisions made by the test: every coupon, code and automatic promotion applies. */
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { LimitsSchema, ReachSchema } from '../src/gen/hongbao/v1/availability_pb.ts';
import {
  type AppliedPromotion,
  AppliedPromotionSchema,
  CartSchema,
  type EvaluateCartRequest,
  EvaluateCartRequestSchema,
  EvaluateCartResponseSchema,
  RejectedCandidateSchema,
  RejectionReason,
} from '../src/gen/hongbao/v1/cart_service_pb.ts';
import { type Promotion, PromotionSchema } from '../src/gen/hongbao/v1/promotion_pb.ts';
import { ReserveCouponsRequestSchema } from '../src/gen/hongbao/v1/redemption_service_pb.ts';
import { type Cart, decodeReserveCouponsRequest } from '../src/gen/hot/redemption-requests.ts';
import { usageOf } from '../src/ledger/transaction.ts';
import type { CodeHolds } from '../src/redemption/code-holds.ts';
import type { OrderRequest } from '../src/redemption/order-request.ts';
import type { Caller, ExhaustedPromotions, RedemptionPorts } from '../src/redemption/redemption-ports.ts';
import { Redemptions } from '../src/redemption/redemptions.ts';
import {
  definitionOf,
  type FixtureOptions,
  isClaimed,
  type LedgerFixture,
  soon,
  startLedgerFixture,
} from './ledger-fixture.ts';

/** What a test's promotion takes off, in minor units. */
export const DISCOUNT_MINOR = 100;
const PRICE_MINOR = 1_000n;

/** What a test's promotion is limited to, and how it is reached; coupons unless told. */
export interface TestPromotion {
  readonly ref: number;
  readonly id?: string;
  readonly limits?: Partial<Omit<ReturnType<typeof limitsMessage>, '$typeName' | '$unknown'>>;
  readonly way?: 'coupon' | 'automatic' | 'public code' | 'single-use code';
}

function limitsMessage() {
  return create(LimitsSchema);
}

/** What a test works with. */
export interface RedemptionFixture {
  readonly ledger: LedgerFixture;
  readonly redemptions: Redemptions;
  readonly ports: RedemptionPorts;
  /** Defines a promotion; an automatic one applies to every order until it is noted as exhausted. */
  define(promotion: TestPromotion): Promise<void>;
  /** Gives the user a coupon; its id. */
  issue(userId: string, ref: number): Promise<string>;
  /** The count in a field of a promotion's usage records. */
  used(ref: number, field: string): Promise<number>;
  close(): Promise<void>;
}

/** Parts of the ports that a test brings itself. */
export interface RedemptionFixtureOptions {
  readonly ledger?: FixtureOptions;
  readonly codes?: CodeHolds;
  /** Exhausted promotions are left out of decisions once they are noted. */
  readonly heedsExhausted?: boolean;
}

const REACHES = {
  coupon: { way: { case: 'claimable', value: {} } },
  automatic: { way: { case: 'automatic', value: {} } },
  'public code': { way: { case: 'code', value: { codes: { case: 'publicCode', value: { code: 'x' } } } } },
  'single-use code': { way: { case: 'code', value: { codes: { case: 'singleUseCodes', value: {} } } } },
} as const;

/** A service that may state facts, with ten seconds. */
export function caller(): Caller {
  return {
    identity: { kind: 'service', actor: 'shop', scopes: new Set(['facts:assert']) },
    nowMs: Date.now(),
    deadlineMs: soon(),
    signal: new AbortController().signal,
  };
}

/** A cart as requests about orders bring it. */
export function orderCart(cart: MessageInitShape<typeof CartSchema>): Cart {
  const request = create(ReserveCouponsRequestSchema, { cart: create(CartSchema, cart) });
  const decoded = decodeReserveCouponsRequest(toBinary(ReserveCouponsRequestSchema, request)).cart;
  if (decoded === undefined) throw new Error('the cart got lost');
  return decoded;
}

/** An order of one line; override what the test is about. */
export function orderOf(overrides: Partial<OrderRequest> = {}): OrderRequest {
  return {
    userId: 'ann',
    orderId: 'o1',
    requestId: 'r1',
    orderNumber: '',
    cart: orderCart({
      currency: 'USD',
      lines: [{ lineId: 'l1', itemId: 'duck', quantity: 1, unitPriceMinor: PRICE_MINOR }],
    }),
    facts: undefined,
    couponIds: [],
    codes: [],
    couponsPerOrder: undefined,
    offers: [],
    expectedPayableMinor: undefined,
    holdMs: undefined,
    ...overrides,
  };
}

/** The promotions of a test, and the decisions they make. */
class TestPromotions {
  readonly all = new Map<string, Promotion>();
  readonly exhausted = new Set<number>();
  readonly couponPromotions = new Map<string, string>();

  byId(promotionId: string): Promotion | undefined {
    return this.all.get(promotionId);
  }

  decide(bytes: Uint8Array): Uint8Array {
    const request = fromBinary(EvaluateCartRequestSchema, bytes);
    const applied = this.appliedTo(request);
    const itemsMinor = (request.cart?.lines ?? []).reduce(
      (sum, { quantity, unitPriceMinor }) => sum + BigInt(quantity) * unitPriceMinor,
      0n,
    );
    const offMinor = applied.reduce((sum, { discountMinor }) => sum + discountMinor, 0n);
    const unknown = (request.selection?.couponIds ?? []).filter((id) => !this.couponPromotions.has(id));
    const response = create(EvaluateCartResponseSchema, {
      ruleSetVersion: 1n,
      lines:
        request.cart?.lines.map(({ lineId, unitPriceMinor }) => ({ lineId, payableMinor: unitPriceMinor })) ??
        [],
      totals: { itemsMinor, itemsDiscountMinor: offMinor, payableMinor: itemsMinor - offMinor },
      applied,
      rejected: unknown.map((value) =>
        create(RejectedCandidateSchema, {
          source: { case: 'couponId', value },
          rejection: { reason: RejectionReason.COUPON_NOT_FOUND },
        }),
      ),
    });
    return toBinary(EvaluateCartResponseSchema, response);
  }

  private appliedTo({ selection }: EvaluateCartRequest): AppliedPromotion[] {
    const automatic = [...this.all.values()].filter(
      ({ ref, reach }) => reach?.way.case === 'automatic' && !this.exhausted.has(ref),
    );
    const coupons = (selection?.couponIds ?? []).flatMap((value) => {
      const promotionId = this.couponPromotions.get(value);
      return promotionId === undefined ? [] : [applied(promotionId, { case: 'couponId', value })];
    });
    // A code is the id of its promotion, and a number after a dash.
    const codes = (selection?.codes ?? []).map((value) =>
      applied(value.split('-')[0] ?? '', { case: 'code', value }),
    );
    return [...coupons, ...codes, ...automatic.map(({ promotionId }) => applied(promotionId))];
  }
}

function applied(promotionId: string, source?: AppliedPromotion['source']): AppliedPromotion {
  return create(AppliedPromotionSchema, {
    promotionId,
    promotionVersion: 1,
    discountMinor: BigInt(DISCOUNT_MINOR),
    ...(source && { source }),
  });
}

/** Starts everything; close it in `afterAll`. */
export async function startRedemptionFixture(
  options: RedemptionFixtureOptions = {},
): Promise<RedemptionFixture> {
  const fixture = await startLedgerFixture(options.ledger);
  const promotions = new TestPromotions();
  const exhausted: ExhaustedPromotions = { note: (ref) => void promotions.exhausted.add(ref) };
  const ports: RedemptionPorts = {
    ledger: fixture.ledger,
    promotions,
    evaluate: (request) => Promise.resolve(promotions.decide(request)),
    metrics: fixture.metrics,
    ...(options.codes && { codes: options.codes }),
    ...(options.heedsExhausted && { exhausted }),
  };
  let requests = 0;
  return {
    ledger: fixture,
    redemptions: new Redemptions(ports),
    ports,
    async define({ ref, id = `p${ref}`, limits, way = 'coupon' }) {
      const promotion = { promotionId: id, ref, version: 1, reach: create(ReachSchema, REACHES[way]) };
      promotions.all.set(
        id,
        create(PromotionSchema, { ...promotion, ...(limits && { limits: create(LimitsSchema, limits) }) }),
      );
      await fixture.ledger.define(definitionOf({ ref, id, perUserLimit: 1_000, quantity: 10_000 }), soon());
    },
    async issue(userId, ref) {
      requests += 1;
      const answer = await fixture.claim({ user: userId, request: `issue-${requests}`, ref });
      if (!isClaimed(answer)) throw new Error(answer.reason);
      const id = [...promotions.all.values()].find((promotion) => promotion.ref === ref)?.promotionId;
      promotions.couponPromotions.set(answer.couponId, id ?? '');
      return answer.couponId;
    },
    used: async (ref, field) => {
      const asks = [{ on: usageOf(ref), fields: [Buffer.from(field)] }];
      const [counted] = await fixture.ledger.read(soon(), (reads) => reads.counters(asks));
      return counted?.[0] ?? 0;
    },
    close: () => fixture.close(),
  };
}
