/** A serving process: the product's ledger and redemptions, as they are, on the simulation's connections and clock. */
import { parseCouponId } from '../../../src/domain/coupon.ts';
import { Refusal } from '../../../src/domain/refusal.ts';
import type { ClaimedCoupon, ClaimRefusal } from '../../../src/ledger/claim-operation.ts';
import { couponFieldHex } from '../../../src/ledger/coupon-field.ts';
import { issueCoupon } from '../../../src/ledger/issue-coupon.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import type { Outcome, Transaction } from '../../../src/ledger/transaction.ts';
import type { OrderRequest } from '../../../src/redemption/order-request.ts';
import type { Caller } from '../../../src/redemption/redemption-ports.ts';
import { Redemptions } from '../../../src/redemption/redemptions.ts';
import { returnCoupons } from '../../../src/redemption/return-coupons.ts';
import { createSweepJob } from '../../../src/redemption/sweep-job.ts';
import { orderCart } from '../../redemption-fixture.ts';
import type { Operation, Settings } from '../schedule/plan.ts';
import { METRICS, SILENT } from '../shared.ts';
import { type ConnectionPlace, SimulatedConnection } from './connection.ts';
import { refOf, type Shop } from './shop.ts';

/** What came of one attempt. */
export type Answer =
  | {
      readonly kind: 'ok';
      readonly level: 'fast' | 'durable';
      readonly couponId?: string;
      readonly version?: number;
    }
  | { readonly kind: 'refused'; readonly reason: Refusal['reason'] };

/** A fault planted into what the product writes. */
export type TransactionFault = (transaction: Transaction) => Transaction;

/** What a serving process is made of. */
export interface ServingPorts {
  readonly place: ConnectionPlace;
  readonly shop: Shop;
  readonly settings: Settings;
  readonly faults: ProcessFaults;
}

/** Faults that can be planted into a process. */
export interface ProcessFaults {
  readonly transaction?: TransactionFault;
  /** WAIT is not waited for. */
  readonly ignoresReplicas?: boolean;
  /** Done to the ledger before it starts. */
  readonly tamper?: (ledger: Ledger) => void;
}

const LEDGER_SETTINGS = {
  url: 'redis://simulation',
  commandTimeoutMs: 60,
  socketTimeoutMs: 100,
  connectTimeoutMs: 50,
  queueLimit: 1_000,
  claimBacklogEvents: 60,
  reservationBacklogEvents: 80,
  isFsyncVouchedFor: false,
} as const;

const CART = orderCart({
  currency: 'USD',
  lines: [{ lineId: 'l1', itemId: 'duck', quantity: 1, unitPriceMinor: 1_000n }],
});

/** The ledger with whatever faults are planted into what it is given to write. */
class PlantedLedger extends Ledger {
  fault: TransactionFault | undefined;

  override async transact(transaction: Transaction, deadlineMs: number): Promise<Outcome> {
    return await super.transact(this.fault?.(transaction) ?? transaction, deadlineMs);
  }
}

/** See the module's comment. */
export class ServingProcess {
  private readonly ports: ServingPorts;
  private readonly ledger: PlantedLedger;
  private readonly redemptions: Redemptions;
  private readonly exhausted = new Set<number>();

  constructor(ports: ServingPorts) {
    const { place, shop, settings, faults } = ports;
    const { time } = place;
    this.ports = ports;
    this.ledger = new PlantedLedger({
      settings: {
        ...LEDGER_SETTINGS,
        replicas: settings.hasReplica && !faults.ignoresReplicas ? 1 : 0,
        durabilityFallback: settings.durabilityFallback,
      },
      metrics: METRICS,
      logger: SILENT,
      defineMissing: (ref) => this.defineMissing(ref),
      nowMs: () => Math.floor(time.nowMs),
      connect: (connection) => new SimulatedConnection(place, connection),
    });
    this.ledger.fault = faults.transaction;
    faults.tamper?.(this.ledger);
    this.redemptions = new Redemptions({
      ledger: this.ledger,
      promotions: shop,
      evaluate: (request, _caller, { wallet }) =>
        Promise.resolve(shop.decide(request, wallet, this.exhausted)),
      exhausted: { note: (ref) => void this.exhausted.add(ref) },
      metrics: METRICS,
    });
  }

  /** Begins; calls are answered from then on. */
  async start(): Promise<void> {
    await this.ledger.start(100);
  }

  /** Delivers every promotion. */
  async defineAll(deadlineMs: number): Promise<void> {
    for (const definition of this.ports.shop.all()) await this.ledger.define(definition, deadlineMs);
  }

  /** Carries an operation out. Throws what is no answer. */
  async perform(operation: Operation, couponIds: readonly string[], deadlineMs: number): Promise<Answer> {
    try {
      return await this.attempt(operation, couponIds, deadlineMs);
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'refused', reason: error.reason };
      throw error;
    }
  }

  private async attempt(
    operation: Operation,
    couponIds: readonly string[],
    deadlineMs: number,
  ): Promise<Answer> {
    switch (operation.kind) {
      case 'claim':
        return await this.claim(operation, deadlineMs);
      case 'grant':
        return await this.grant(operation, deadlineMs);
      case 'hide':
        return await this.hide(operation, couponIds, deadlineMs);
      case 'hold':
        return await this.hold(operation, couponIds, deadlineMs);
      case 'commit':
      case 'release':
        return await this.end(operation, deadlineMs);
      case 'return':
        return await this.giveBack(operation, deadlineMs);
      case 'change':
        return await this.change(operation, deadlineMs);
      case 'sweep':
        return await this.sweep();
    }
  }

  private get level(): 'fast' | 'durable' {
    return this.ports.settings.durabilityFallback === 'degrade' ? 'fast' : 'durable';
  }

  /** Of writes that are not refused by a server that keeps less. */
  private get singleLevel(): 'fast' | 'durable' {
    return this.ports.settings.appendFsync === 'always' ? this.level : 'fast';
  }

  private async claim(
    { promotion, user: userId, request }: Extract<Operation, { kind: 'claim' | 'grant' }>,
    deadlineMs: number,
  ): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.ledger.claim({
      promotionRef: refOf(promotion),
      userId,
      fieldHex: couponFieldHex('claim', userId, request),
      deadlineMs,
      facts: undefined,
      listener: {
        claimed: ({ couponId, acknowledgement }: ClaimedCoupon) =>
          resolve({ kind: 'ok', level: acknowledgement === 'fast' ? 'fast' : 'durable', couponId }),
        refused: ({ reason }: ClaimRefusal) => resolve({ kind: 'refused', reason }),
      },
    });
    return await promise;
  }

  private async grant(
    { promotion, user: userId, request: requestId }: Extract<Operation, { kind: 'claim' | 'grant' }>,
    deadlineMs: number,
  ): Promise<Answer> {
    const grant = { promotionRef: refOf(promotion), userId, requestId, kind: 'grant' } as const;
    const how = { source: 'staff', event: 'granted', minded: 'nothing' } as const;
    const { couponId } = await issueCoupon(this.ledger, { ...grant, ...how }, deadlineMs);
    return { kind: 'ok', level: this.level, couponId };
  }

  private async hide(
    { user }: Extract<Operation, { kind: 'hide' }>,
    couponIds: readonly string[],
    deadlineMs: number,
  ): Promise<Answer> {
    const [couponId] = couponIds;
    if (couponId === undefined) return { kind: 'refused', reason: 'COUPON_NOT_FOUND' };
    await this.ledger.hide(user, parseCouponId(couponId)?.fieldHex ?? '', deadlineMs);
    return { kind: 'ok', level: this.singleLevel, couponId };
  }

  private async hold(
    operation: Extract<Operation, { kind: 'hold' }>,
    couponIds: readonly string[],
    deadlineMs: number,
  ): Promise<Answer> {
    const { user: userId, order: orderId, request: requestId, coupons, holdMs } = operation;
    const order: OrderRequest = {
      userId,
      orderId,
      requestId,
      orderNumber: '',
      cart: CART,
      facts: undefined,
      couponIds: couponIds.slice(0, coupons),
      codes: [],
      couponsPerOrder: undefined,
      offers: [],
      expectedPayableMinor: undefined,
      holdMs,
    };
    const caller = this.caller(deadlineMs);
    const call =
      holdMs === undefined ? this.redemptions.use(order, caller) : this.redemptions.reserve(order, caller);
    await call;
    return { kind: 'ok', level: this.level };
  }

  private async end(
    {
      kind,
      user: userId,
      order: orderId,
      request: requestId,
    }: Extract<Operation, { kind: 'commit' | 'release' | 'return' }>,
    deadlineMs: number,
  ): Promise<Answer> {
    const ending = { userId, orderId, requestId, reservationId: '' };
    if (kind === 'commit') await this.redemptions.commit(ending, deadlineMs);
    else await this.redemptions.release({ ...ending, reason: '' }, deadlineMs);
    return { kind: 'ok', level: this.level };
  }

  private async giveBack(
    {
      user: userId,
      order: orderId,
      request: requestId,
    }: Extract<Operation, { kind: 'commit' | 'release' | 'return' }>,
    deadlineMs: number,
  ): Promise<Answer> {
    const { shop } = this.ports;
    const promotions = { version: (ref: number) => Promise.resolve(shop.version(ref)) };
    const ports = { ledger: this.ledger, promotions, metrics: METRICS };
    await returnCoupons(ports, { userId, orderId, requestId, couponIds: [], reason: '' }, deadlineMs);
    return { kind: 'ok', level: this.level };
  }

  private async change(
    { promotion, state, quantity }: Extract<Operation, { kind: 'change' }>,
    deadlineMs: number,
  ): Promise<Answer> {
    const definition = this.ports.shop.change(promotion, state, quantity);
    await this.ledger.define(definition, deadlineMs);
    return { kind: 'ok', level: this.singleLevel, version: definition.version };
  }

  private async sweep(): Promise<Answer> {
    const job = createSweepJob({ ledger: this.ledger, nowMs: () => this.ports.place.time.nowMs });
    const { signal } = new AbortController();
    await job.run({ signal, nowMs: this.ports.place.time.nowMs, progress: () => undefined });
    return { kind: 'ok', level: 'fast' };
  }

  private async defineMissing(ref: number): Promise<boolean> {
    const definition = this.ports.shop.definition(ref);
    if (definition === undefined) return false;
    await this.ledger.define(definition, this.ports.place.time.nowMs + 200);
    return true;
  }

  private caller(deadlineMs: number): Caller {
    return {
      identity: { kind: 'service', actor: 'shop', scopes: new Set() },
      nowMs: this.ports.place.time.nowMs,
      deadlineMs,
      signal: new AbortController().signal,
    };
  }
}
