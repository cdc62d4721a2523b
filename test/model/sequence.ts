/** One sequence's users and promotions on the real side: carries operations out, and answers as the model does. */
import { parseCouponId } from '../../src/domain/coupon.ts';
import type { Redemption } from '../../src/domain/redemption.ts';
import type { RefundRecord, ReturnRecord } from '../../src/domain/refund-record.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import type { Promotion } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { revokeCoupon } from '../../src/grants/revoke-coupon.ts';
import type { ClaimedCoupon, ClaimRefusal } from '../../src/ledger/claim-operation.ts';
import { couponFieldHex } from '../../src/ledger/coupon-field.ts';
import { issueCoupon } from '../../src/ledger/issue-coupon.ts';
import { Points } from '../../src/points/points.ts';
import type { OrderRequest } from '../../src/redemption/order-request.ts';
import type { Caller } from '../../src/redemption/redemption-ports.ts';
import { Redemptions } from '../../src/redemption/redemptions.ts';
import { type RefundPorts, refundItems } from '../../src/redemption/refund-items.ts';
import { returnCoupons } from '../../src/redemption/return-coupons.ts';
import { orderCart } from '../redemption-fixture.ts';
import { CartDecider } from './decide-cart.ts';
import { userIdOf } from './model-state.ts';
import type {
  Answer,
  EndOperation,
  HoldOperation,
  IssueOperation,
  Name,
  Operation,
  RefundOperation,
  ReturnOperation,
} from './operations.ts';
import { definitionOf, promotionOf, type Terms } from './terms.ts';
import { POINTS, type World } from './world.ts';

const LINE = 'line';

/** See the module's comment. */
export class Sequence {
  readonly world: World;
  readonly prefix: string;
  readonly terms: readonly Terms[];
  private readonly redemptions: Redemptions;
  private readonly returns: RefundPorts;
  private readonly points: Points;

  private constructor(
    world: World,
    prefix: string,
    terms: readonly Terms[],
    promotions: readonly Promotion[],
  ) {
    const { ledger, metrics } = world;
    this.world = world;
    this.prefix = prefix;
    this.terms = terms;
    const byId = new Map(promotions.map((promotion) => [promotion.promotionId, promotion]));
    const byRef = new Map(promotions.map((promotion) => [promotion.ref, promotion]));
    const decider = new CartDecider(ledger, promotions);
    this.redemptions = new Redemptions({
      ledger,
      promotions: { byId: (id) => byId.get(id) },
      evaluate: (request, { deadlineMs }) => decider.decide(request, deadlineMs),
      // Every decision is made on what is left right now.
      exhausted: { note: () => undefined },
      metrics,
    });
    this.returns = {
      ledger,
      metrics,
      promotions: { version: (ref) => Promise.resolve(byRef.get(ref)) },
      decideAgain: () => Promise.reject(new Error('discounts are kept')),
    };
    this.points = new Points({ ledger, settings: POINTS, metrics });
  }

  /** Delivers the promotions. */
  static async start(world: World, prefix: string, terms: readonly Terms[]): Promise<Sequence> {
    const promotions = terms.map(promotionOf);
    await Promise.all(promotions.map((one) => world.ledger.define(definitionOf(one), world.deadline())));
    return new Sequence(world, prefix, terms, promotions);
  }

  /** Carries an operation out. Throws what is neither an answer nor a refusal. */
  async perform(operation: Operation): Promise<Answer> {
    try {
      return await this.attempt(operation);
    } catch (error) {
      if (error instanceof Refusal && error.reason !== 'INTERNAL') return refusalAnswer(operation, error);
      throw error;
    }
  }

  private async attempt(operation: Operation): Promise<Answer> {
    const { points } = this;
    const userId = this.userId(operation);
    const deadlineMs = this.world.deadline();
    switch (operation.kind) {
      case 'claim':
      case 'grant':
      case 'exchange':
        return await this.issue(operation, userId, deadlineMs);
      case 'revoke':
        await revokeCoupon(this.world.ledger, { ...operation, userId, reason: 'test' }, deadlineMs);
        return { done: true };
      case 'hide':
        await this.world.ledger.hide(userId, parseCouponId(operation.couponId)?.fieldHex ?? '', deadlineMs);
        return { done: true };
      case 'hold':
        return await this.hold(operation, userId, deadlineMs);
      case 'commit':
      case 'release':
        return await this.end(operation, userId, deadlineMs);
      case 'lapse':
        return { lapsed: await this.redemptions.lapse(userId, operation.order, deadlineMs) };
      case 'return':
        return await this.giveBack(operation, userId, deadlineMs);
      case 'refund':
        return await this.refund(operation, userId, deadlineMs);
      case 'earn': {
        const { order: orderId, paidMinor } = operation;
        const earned = await points.earn({ userId, orderId, paidMinor, currency: 'CNY' }, deadlineMs);
        return { points: earned.points, bonus: earned.bonus, replayed: earned.isReplay };
      }
      case 'reverse': {
        const { order: orderId, remainingMinor: remainingPaidMinor } = operation;
        return { ...(await points.reverse({ userId, orderId, remainingPaidMinor, reason: '' }, deadlineMs)) };
      }
      case 'award': {
        const { request: requestId, points: count } = operation;
        const award = { userId, requestId, points: count, reason: '' };
        const { balance, isReplay } = await points.award(award, deadlineMs);
        const { totalEarned: earned, available, debt } = balance;
        return { earned, available, debt, replayed: isReplay };
      }
    }
  }

  /** The ref of one of the promotions. */
  refOf(name: Name): number {
    return this.terms.find((one) => one.name === name)?.ref ?? 0;
  }

  private userId({ user }: Pick<Operation, 'user'>): string {
    return userIdOf(this, user);
  }

  private async issue(operation: IssueOperation, userId: string, deadlineMs: number): Promise<Answer> {
    const { kind, request: requestId, promotion } = operation;
    const promotionRef = this.refOf(promotion);
    if (kind === 'claim') return await this.claim(promotionRef, userId, requestId, deadlineMs);
    if (kind === 'exchange') {
      const exchange = { promotionRef, userId, requestId, facts: undefined };
      const { coupon, pointsSpent, pointsLeft } = await this.points.exchange(exchange, deadlineMs);
      return { ...issuedAnswer(coupon), spent: pointsSpent, left: pointsLeft };
    }
    const grant = { promotionRef, userId, requestId, kind, source: 'staff', event: 'granted' } as const;
    return issuedAnswer(await issueCoupon(this.world.ledger, { ...grant, minded: 'nothing' }, deadlineMs));
  }

  private async claim(
    promotionRef: number,
    userId: string,
    request: string,
    deadlineMs: number,
  ): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.world.ledger.claim({
      promotionRef,
      userId,
      fieldHex: couponFieldHex('claim', userId, request),
      deadlineMs,
      facts: undefined,
      listener: {
        claimed: (coupon: ClaimedCoupon) => resolve(issuedAnswer(coupon)),
        refused: (refusal: ClaimRefusal) => resolve(claimRefusalAnswer(refusal)),
      },
    });
    return await promise;
  }

  private async hold(operation: HoldOperation, userId: string, deadlineMs: number): Promise<Answer> {
    const {
      order: orderId,
      request: requestId,
      couponIds,
      cart,
      expectedMinor,
      orderNumber,
      holdMs,
    } = operation;
    const { quantity, unitPriceMinor, shippingMinor } = cart;
    const line = { lineId: LINE, itemId: 'duck', quantity, unitPriceMinor: BigInt(unitPriceMinor) };
    const request: OrderRequest = {
      userId,
      orderId,
      requestId,
      orderNumber,
      cart: orderCart({ currency: 'CNY', lines: [line], shippingMinor: BigInt(shippingMinor) }),
      facts: undefined,
      couponIds,
      codes: [],
      couponsPerOrder: undefined,
      offers: [],
      expectedPayableMinor: expectedMinor,
      holdMs,
    };
    const call = holdMs === undefined ? 'use' : 'reserve';
    const { order, replayed } = await this.redemptions[call](request, this.caller(deadlineMs));
    return { order: orderView(order.redemption), replayed };
  }

  private caller(deadlineMs: number): Caller {
    const { signal } = new AbortController();
    const identity = { kind: 'service', actor: 'shop', scopes: new Set<string>() } as const;
    return { identity, nowMs: this.world.nowMs, deadlineMs, signal };
  }

  private async end(operation: EndOperation, userId: string, deadlineMs: number): Promise<Answer> {
    const { kind, order: orderId, request: requestId, reservation: reservationId } = operation;
    const request = { userId, orderId, requestId, reservationId, reason: '' };
    const { order, replayed } = await this.redemptions[kind](request, deadlineMs);
    return { order: orderView(order.redemption), replayed };
  }

  private async giveBack(operation: ReturnOperation, userId: string, deadlineMs: number): Promise<Answer> {
    const { order: orderId, request: requestId, couponIds } = operation;
    const request = { userId, orderId, requestId, couponIds, reason: '' };
    const { record, order, isReplay } = await returnCoupons(this.returns, request, deadlineMs);
    return { ...recordAnswer(record), order: orderView(order.redemption), replayed: isReplay };
  }

  private async refund(operation: RefundOperation, userId: string, deadlineMs: number): Promise<Answer> {
    const { order: orderId, request: requestId, units, shipping } = operation;
    const lines = units === 0 ? [] : [{ lineId: LINE, quantity: units }];
    const request = {
      userId,
      orderId,
      requestId,
      lines,
      shipping,
      policy: 'keep',
      reason: '',
      isDryRun: false,
    } as const;
    const { record, order, isReplay } = await refundItems(this.returns, request, deadlineMs);
    const { refundMinor, shippingMinor, refundedTotalMinor: totalMinor, remainingPayableMinor } = record;
    const money = { refundMinor, shippingMinor, totalMinor, remainingMinor: remainingPayableMinor };
    return { ...recordAnswer(record), ...money, order: orderView(order.redemption), replayed: isReplay };
  }
}

function issuedAnswer(coupon: { couponId: string; issuedAtMs: number; isReplay: boolean }): Answer {
  const { couponId, issuedAtMs, isReplay } = coupon;
  return { couponId, issuedAtMs, replayed: isReplay };
}

function recordAnswer({ coupons, pointsReversed, pointsDebt }: ReturnRecord | RefundRecord): Answer {
  return {
    coupons: coupons.map(({ couponId, outcome }) => [couponId, outcome]).sort(),
    pointsReversed,
    pointsDebt,
  };
}

/** An order as answers tell it; see the model's. */
export function orderView(redemption: Redemption) {
  const { lines, coupons, promotions, bonusPoints } = redemption;
  const names = promotions.map(({ promotionId, couponId = '', discountMinor, givenBack }) => [
    promotionId.split('-')[0],
    couponId,
    discountMinor,
    givenBack,
  ]);
  return {
    state: redemption.state,
    reservation: redemption.reservationId,
    reservedAtMs: redemption.reservedAtMs,
    dueAtMs: redemption.dueAtMs,
    committedAtMs: redemption.committedAtMs,
    payableMinor: redemption.payableMinor,
    refundedMinor: redemption.refundedMinor,
    unitsBack: lines[0]?.returnedQuantity,
    bonus: bonusPoints,
    returned: coupons
      .filter(({ returned }) => returned)
      .map(({ couponId }) => couponId)
      .sort(),
    uses: names.sort(),
  };
}

function claimRefusalAnswer({ reason, needed, seen }: ClaimRefusal): Answer {
  const isCounted = reason === 'USER_LIMIT_REACHED' || reason === 'SOLD_OUT';
  return isCounted ? { refused: reason, needed, seen } : { refused: reason };
}

/** A refusal with what it tells, in the words of the model. */
function refusalAnswer({ kind }: Operation, { reason, detail }: Refusal): Answer {
  const { metadata = {} } = detail;
  const named = (field: string, name: string) =>
    metadata[field] === undefined ? {} : { [name]: metadata[field] };
  switch (reason) {
    case 'USER_LIMIT_REACHED':
      return {
        refused: reason,
        needed: Number(metadata['per_user_limit']),
        seen: Number(metadata['issued']),
      };
    case 'SOLD_OUT':
      return { refused: reason, needed: Number(metadata['quantity']), seen: Number(metadata['issued']) };
    case 'INSUFFICIENT_POINTS':
      return { refused: reason, needed: Number(metadata['needed']), seen: Number(metadata['seen']) };
    case 'ORDER_ALREADY_RESERVED':
      return { refused: reason, ...named('reservation_id', 'reservation') };
    case 'RESERVATION_EXPIRED':
      if (kind === 'return' || kind === 'refund') return { refused: reason };
      return { refused: reason, cause: metadata['cause'] === undefined ? 'coupon' : 'limit' };
    case 'COUPON_NOT_APPLICABLE': {
      const figures = { ...named('needed', 'needed'), ...named('seen', 'seen') };
      return {
        refused: reason,
        ...named('coupon_id', 'couponId'),
        ...named('rejection', 'rejection'),
        ...figures,
      };
    }
    // The rules name the coupon, the ledger only its promotion.
    case 'USES_EXHAUSTED':
    case 'USER_USES_EXHAUSTED':
    case 'CART_CHANGED':
    case 'QUANTITY_ABOVE_REMAINING':
      return { refused: reason, ...named('needed', 'needed'), ...named('seen', 'seen') };
    case 'COUPON_NOT_FOUND':
      return kind === 'hold' ? { refused: reason, ...named('coupon_id', 'couponId') } : { refused: reason };
    case 'COUPON_NOT_AVAILABLE':
      return kind === 'hold'
        ? { refused: reason, ...named('coupon_id', 'couponId') }
        : { refused: reason, ...named('state', 'state') };
    default:
      return { refused: reason };
  }
}
