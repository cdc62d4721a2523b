/** Orders, returns and refunds on a real ledger, decided by the engine in this process. */
import { fromBinary, fromJson, type JsonObject, toBinary } from '@bufbuild/protobuf';
import { RuleTable } from '../src/engine/rule-table.ts';
import { answerItem } from '../src/evaluation/answer-item.ts';
import { readPromotion } from '../src/evaluation/read-promotion.ts';
import { EvaluateCartRequestSchema } from '../src/gen/hongbao/v1/cart_service_pb.ts';
import { type Promotion, PromotionSchema } from '../src/gen/hongbao/v1/promotion_pb.ts';
import { Points } from '../src/points/points.ts';
import { type KnownOrder, readOrder, requireOrder } from '../src/redemption/read-order.ts';
import type { Caller } from '../src/redemption/redemption-ports.ts';
import { Redemptions } from '../src/redemption/redemptions.ts';
import {
  type Refunded,
  type RefundItemsRequest,
  type RefundPorts,
  refundItems,
} from '../src/redemption/refund-items.ts';
import { type Returned, type ReturnRequest, returnCoupons } from '../src/redemption/return-coupons.ts';
import { definitionOf, isClaimed, type LedgerFixture, soon, startLedgerFixture } from './ledger-fixture.ts';
import { orderCart } from './redemption-fixture.ts';

/** A promotion of a test, as protobuf JSON without the fields that are the same everywhere; 20.00 off unless told. */
export type TestPromotion = JsonObject & { readonly ref: number };

/** An order of a test. */
export interface TestOrder {
  readonly userId: string;
  readonly orderId: string;
  /** Item, price and units by line id. */
  readonly lines: Readonly<Record<string, readonly [item: string, price: number, quantity: number]>>;
  readonly shippingMinor?: number;
  readonly couponIds?: readonly string[];
  readonly codes?: readonly string[];
}

const RULE_SET_VERSION = 1;
const COUPONS_PER_ORDER = 5;
const CALLER: Pick<Caller, 'identity' | 'signal'> = {
  identity: { kind: 'service', actor: 'shop', scopes: new Set(['facts:assert']) },
  signal: new AbortController().signal,
};

/** What a test works with; close it in `afterAll`. */
export class RefundFixture {
  readonly ledger: LedgerFixture;
  readonly redemptions: Redemptions;
  readonly points: Points;
  readonly ports: RefundPorts;
  /** Questions about the rest of an order that were asked. */
  readonly questions: Uint8Array[] = [];
  private readonly table = new RuleTable();
  private readonly promotions = new Map<string, Promotion>();
  private issued = 0;

  private constructor(ledger: LedgerFixture) {
    this.ledger = ledger;
    const { metrics } = ledger;
    const settings = { rates: {}, expiryMonths: 0, timeZone: 'Asia/Shanghai' };
    this.points = new Points({ ledger: ledger.ledger, metrics, settings });
    this.redemptions = new Redemptions({
      ledger: ledger.ledger,
      metrics,
      promotions: { byId: (id) => this.promotions.get(id) },
      evaluate: (request) => this.decide(request),
    });
    this.ports = {
      ledger: ledger.ledger,
      metrics,
      promotions: { version: (ref) => Promise.resolve(this.byRef(ref)) },
      decideAgain: (request) => {
        this.questions.push(request);
        return this.decide(request);
      },
    };
  }

  static async start(): Promise<RefundFixture> {
    return new RefundFixture(await startLedgerFixture());
  }

  async close(): Promise<void> {
    await this.ledger.close();
  }

  /** Defines a promotion. `days`: how long its coupons can be used. */
  async define(json: TestPromotion, days = 7): Promise<void> {
    const { ref } = json;
    const promotion = fromJson(PromotionSchema, {
      promotion_id: `p${ref}`,
      version: 1,
      state: 'PROMOTION_STATE_ACTIVE',
      currency: 'CNY',
      reach: { claimable: {} },
      effect: { fixed_amount_off: { amount_minor: 2000 } },
      ...json,
    });
    const read = readPromotion(toBinary(PromotionSchema, promotion));
    if (read.definition === undefined) throw new Error(JSON.stringify(read.faults));
    this.promotions.set(promotion.promotionId, promotion);
    const faults = this.table.change([{ ref, definition: read.definition }], RULE_SET_VERSION);
    if (faults.length > 0) throw new Error(JSON.stringify(faults));
    const live = { ref, id: promotion.promotionId, perUserLimit: 1_000, quantity: 10_000 };
    await this.ledger.ledger.define(definitionOf({ ...live, validity: { kind: 'days', days } }), soon());
  }

  /** Gives the user a coupon; its id. */
  async issue(user: string, ref: number): Promise<string> {
    this.issued += 1;
    const answer = await this.ledger.claim({ user, request: `issue-${this.issued}`, ref });
    if (!isClaimed(answer)) throw new Error(answer.reason);
    return answer.couponId;
  }

  /** Uses what the order asks for; the order is paid. */
  async use(order: TestOrder): Promise<KnownOrder> {
    const answer = await this.redemptions.use(
      { ...this.requestOf(order), holdMs: undefined },
      { ...CALLER, nowMs: Date.now(), deadlineMs: soon() },
    );
    return answer.order;
  }

  /** Holds what the order asks for. */
  async reserve(order: TestOrder, holdMs = 60_000): Promise<KnownOrder> {
    const answer = await this.redemptions.reserve(
      { ...this.requestOf(order), holdMs },
      { ...CALLER, nowMs: Date.now(), deadlineMs: soon() },
    );
    return answer.order;
  }

  async returnCoupons(
    request: Pick<ReturnRequest, 'userId' | 'orderId' | 'requestId'> & Partial<ReturnRequest>,
  ): Promise<Returned> {
    return await returnCoupons(this.ports, { couponIds: [], reason: '', ...request }, soon());
  }

  /** `back`: units by line id. */
  async refund({
    back = {},
    ...request
  }: Pick<RefundItemsRequest, 'userId' | 'orderId' | 'requestId'> &
    Partial<RefundItemsRequest> & { readonly back?: Readonly<Record<string, number>> }): Promise<Refunded> {
    const lines = Object.entries(back).map(([lineId, quantity]) => ({ lineId, quantity }));
    const usual = { lines, shipping: false, policy: 'keep', reason: '', isDryRun: false } as const;
    return await refundItems(this.ports, { ...usual, ...request }, soon());
  }

  async order(userId: string, orderId: string): Promise<KnownOrder> {
    return requireOrder(await readOrder(this.ledger.ledger, userId, orderId, soon()));
  }

  /** The count in a field of a promotion's usage record. */
  async used(ref: number, field = 'n'): Promise<number> {
    return Number((await this.ledger.redis.hget(`{p0}u:${ref}`, field)) ?? 0);
  }

  private byRef(ref: number): Promotion | undefined {
    return [...this.promotions.values()].find((promotion) => promotion.ref === ref);
  }

  private requestOf({ userId, orderId, lines, shippingMinor = 0, couponIds = [], codes = [] }: TestOrder) {
    const cartLines = Object.entries(lines).map(([lineId, [itemId, price, quantity]]) => {
      return { lineId, itemId, quantity, unitPriceMinor: BigInt(price) };
    });
    const cart = { currency: 'CNY', lines: cartLines, shippingMinor: BigInt(shippingMinor) };
    return {
      userId,
      orderId,
      requestId: `use-${orderId}`,
      orderNumber: '',
      cart: orderCart(cart),
      facts: undefined,
      couponIds,
      codes,
      couponsPerOrder: COUPONS_PER_ORDER,
      offers: [],
      expectedPayableMinor: undefined,
    };
  }

  private async decide(request: Uint8Array): Promise<Uint8Array> {
    const { userId } = fromBinary(EvaluateCartRequestSchema, request);
    const [kept] = await this.ledger.ledger.read(soon(), (reads) => reads.keptWallets([userId]));
    const wallet = kept?.coupons ?? new Uint8Array();
    const item = { kind: 'evaluate_cart', areFactsBelieved: true, nowMs: Date.now() } as const;
    const outcome = answerItem({ ...item, request, wallet, bodies: [], lookedUp: [] }, this.table, 1);
    if (outcome.kind !== 'answered') throw new Error(`a decision is ${outcome.kind}`);
    return outcome.response;
  }
}
