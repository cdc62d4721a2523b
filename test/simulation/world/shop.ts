/**
 * The shop of the simulation: its promotions as Postgres keeps them, and how carts are decided. Every coupon that is asked for
 * applies, and so does the automatic promotion until a process has heard that it has run out.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  COUPON_FIELD_BYTES,
  COUPON_VALUE_BYTES,
  decodeCouponValue,
  parseCouponId,
  stateAt,
} from '../../../src/domain/coupon.ts';
import type { LiveDefinition, LiveState } from '../../../src/domain/live-definition.ts';
import { LimitsSchema } from '../../../src/gen/hongbao/v1/availability_pb.ts';
import {
  AppliedPromotionSchema,
  EvaluateCartRequestSchema,
  EvaluateCartResponseSchema,
  RejectionReason,
} from '../../../src/gen/hongbao/v1/cart_service_pb.ts';
import { type Promotion, PromotionSchema } from '../../../src/gen/hongbao/v1/promotion_pb.ts';
import { PROMOTIONS, type PromotionName, type Settings } from '../schedule/plan.ts';

const DISCOUNT_MINOR = 100n;
const PRICE_MINOR = 1_000n;
const NO_BODY = new Uint8Array([0]);

/** The number of a promotion. */
export function refOf(name: PromotionName): number {
  return PROMOTIONS.indexOf(name) + 1;
}

/** See the module's comment. */
export class Shop {
  private readonly definitions = new Map<number, LiveDefinition>();
  private readonly promotions = new Map<string, Promotion>();
  private readonly settings: Settings;
  /** Promotions of coupons, by their ids. */
  private readonly couponPromotions = new Map<string, PromotionName>();

  constructor(settings: Settings, startMs: number) {
    this.settings = settings;
    for (const name of PROMOTIONS) {
      this.definitions.set(refOf(name), this.firstVersion(name, startMs));
      this.promotions.set(name, this.promotionOf(name));
    }
  }

  /** All definitions in force. */
  all(): LiveDefinition[] {
    return [...this.definitions.values()];
  }

  definition(ref: number): LiveDefinition | undefined {
    return this.definitions.get(ref);
  }

  /** Makes the next version of a promotion. */
  change(name: PromotionName, state: LiveState, quantity: number): LiveDefinition {
    const ref = refOf(name);
    const current = this.definitions.get(ref) ?? this.firstVersion(name, 0);
    const next = { ...current, version: current.version + 1, state, quantity };
    this.definitions.set(ref, next);
    return next;
  }

  byId(promotionId: string): Promotion | undefined {
    return this.promotions.get(promotionId);
  }

  version(ref: number): Promotion | undefined {
    const name = PROMOTIONS[ref - 1];
    return name && this.promotions.get(name);
  }

  /** Remembers whose coupon it is. */
  noteCoupon(couponId: string, name: PromotionName): void {
    this.couponPromotions.set(couponId, name);
  }

  /** Answers an EvaluateCartRequest. */
  decide(bytes: Uint8Array, wallet: Uint8Array, exhausted: ReadonlySet<number>): Uint8Array {
    const request = fromBinary(EvaluateCartRequestSchema, bytes);
    const asked = request.selection?.couponIds ?? [];
    const atMs = request.at === undefined ? 0 : timestampMs(request.at);
    const usable = new Set(asked.filter((couponId) => isUsable(wallet, couponId, atMs)));
    const rejected = asked
      .filter((couponId) => !usable.has(couponId))
      .map((value) => ({
        source: { case: 'couponId', value } as const,
        rejection: { reason: RejectionReason.COUPON_NOT_FOUND },
      }));
    const coupons = [...usable].flatMap((value) => {
      const promotionId = this.couponPromotions.get(value);
      const source = { case: 'couponId', value } as const;
      return promotionId === undefined ? [] : [{ promotionId, source }];
    });
    const automatic = exhausted.has(refOf('automatic')) ? [] : [{ promotionId: 'automatic' }];
    const applied = [...coupons, ...automatic].map((one) =>
      create(AppliedPromotionSchema, { ...one, promotionVersion: 1, discountMinor: DISCOUNT_MINOR }),
    );
    const offMinor = DISCOUNT_MINOR * BigInt(applied.length);
    const totals = {
      itemsMinor: PRICE_MINOR,
      itemsDiscountMinor: offMinor,
      payableMinor: PRICE_MINOR - offMinor,
    };
    const lines = [{ lineId: 'l1', payableMinor: PRICE_MINOR - offMinor }];
    const response = create(EvaluateCartResponseSchema, {
      ruleSetVersion: 1n,
      lines,
      totals,
      applied,
      rejected,
    });
    return toBinary(EvaluateCartResponseSchema, response);
  }

  private firstVersion(name: PromotionName, startMs: number): LiveDefinition {
    const { quantity, perUserLimit, couponLifeMs } = this.settings;
    return {
      ref: refOf(name),
      id: name,
      version: 1,
      state: 'active',
      claimable: name !== 'automatic',
      perUserLimit,
      quantity,
      acknowledgement: name === 'durable' ? 'durable' : 'fast',
      validity:
        name === 'fast' ? { kind: 'fixed', endMs: startMs + couponLifeMs } : { kind: 'days', days: 1 },
      target: { kind: 'everyone' },
      body: NO_BODY,
    };
  }

  private promotionOf(name: PromotionName): Promotion {
    const usesTotal = BigInt(this.settings.automaticUses);
    return create(PromotionSchema, {
      promotionId: name,
      ref: refOf(name),
      version: 1,
      ...(name === 'automatic' && { limits: create(LimitsSchema, { usesTotal }) }),
    });
  }
}

/** The coupon is among those of the wallet (fields and values, one after the other) and can be used at that moment. */
function isUsable(wallet: Uint8Array, couponId: string, atMs: number): boolean {
  const wanted = Buffer.from(parseCouponId(couponId)?.fieldHex ?? '', 'hex');
  const step = COUPON_FIELD_BYTES + COUPON_VALUE_BYTES;
  for (let at = 0; at + step <= wallet.length; at += step) {
    if (Buffer.compare(wallet.subarray(at, at + COUPON_FIELD_BYTES), wanted) !== 0) continue;
    const coupon = decodeCouponValue(Buffer.from(wallet.subarray(at + COUPON_FIELD_BYTES, at + step)));
    return stateAt(coupon, atMs) === 'unused';
  }
  return false;
}
