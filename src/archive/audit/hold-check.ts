import {
  COUPON_FIELD_BYTES,
  type CouponState,
  decodeCouponValue,
  parseCouponId,
} from '../../domain/coupon.ts';
import type { Redemption, RedemptionCoupon } from '../../domain/redemption.ts';
import type { LedgerEvent, Write } from '../../ledger/event-format.ts';
import { ACCOUNT_FIELDS } from '../../ledger/record-fields.ts';
import type { RecordImage } from './apply-write.ts';
import type { Check } from './check.ts';
import { isHead, orderHead } from './order-head.ts';

/** The records of some users. */
export interface UserImages {
  readonly wallets: ReadonlyMap<string, RecordImage>;
  readonly orders: ReadonlyMap<string, RecordImage>;
  readonly accounts: ReadonlyMap<string, RecordImage>;
}

/**
 * I4: a coupon serves at most one order. After every event, each coupon it touched that is reserved or used names one order,
 * whose head lists it in that state, and each coupon of an order whose head it wrote is where the head says.
 */
export class HoldCheck {
  private readonly holds: Check;
  private readonly images: UserImages;
  private readonly isWhole: boolean;
  /** Coupons that left Redis, by user and field: an order that stays may still list them. */
  private readonly retired = new Set<string>();

  constructor(holds: Check, images: UserImages, isWhole: boolean) {
    this.holds = holds;
    this.images = images;
    this.isWhole = isWhole;
  }

  /** Looks at the records an event touched, with `writes` already carried out on the images. */
  check(event: LedgerEvent, writes: readonly Write[], place: string): void {
    for (const { target, id, fields } of writes) {
      for (const { field, value } of fields) {
        if (target === 'wallet' && field.length === COUPON_FIELD_BYTES) {
          if (value === undefined) this.retired.add(`${id}/${field.toString('hex')}`);
          else this.checkCoupon(id, field, place);
        } else if (target === 'order' && isHead(field) && value !== undefined) {
          this.checkOrder(id, `${place}, ${event.kind}`);
        }
      }
    }
  }

  private checkCoupon(userId: string, field: Buffer, place: string): void {
    const state = this.stateOf(userId, field);
    const orderId = this.holderOf(userId, field);
    const name = `coupon ${field.toString('hex')} of ${userId}`;
    if (state !== 'reserved' && state !== 'used') {
      this.holds.require(
        orderId === undefined,
        () => `${place} leaves ${name} ${state}, but in order ${orderId}`,
      );
      return;
    }
    this.holds.count('coupons in orders');
    if (orderId === undefined) {
      // The hold may be told by an event before the start of the log.
      this.holds.require(!this.isWhole, () => `${place} leaves ${name} ${state}, but in no order`);
      return;
    }
    const head = orderHead(this.images.orders.get(`${userId}/${orderId}`));
    const isCutOff = head === undefined && !this.isWhole;
    const listed = head?.coupons.filter(({ couponId }) => fieldOf(couponId) === field.toString('hex')) ?? [];
    const [coupon] = listed;
    const agrees = head && coupon && listed.length === 1 && stateIn(head, coupon) === state;
    this.holds.require(isCutOff || agrees === true, () => {
      return `${place} leaves ${name} ${state} in order ${orderId}, whose head says otherwise`;
    });
  }

  private checkOrder(id: string, place: string): void {
    this.holds.count('orders written');
    const head = orderHead(this.images.orders.get(id));
    if (head === undefined) {
      this.holds.breach(`${place}, writes a head of order ${id} that cannot be read`);
      return;
    }
    const slash = id.indexOf('/');
    for (const coupon of head.coupons)
      this.checkListed(id.slice(0, slash), id.slice(slash + 1), head, coupon, place);
  }

  private checkListed(
    userId: string,
    orderId: string,
    head: Redemption,
    coupon: RedemptionCoupon,
    place: string,
  ): void {
    const fieldHex = fieldOf(coupon.couponId) ?? '';
    const field = Buffer.from(fieldHex, 'hex');
    const state = this.stateOf(userId, field);
    const expected = stateIn(head, coupon);
    const holder = this.holderOf(userId, field);
    const isHeld = holder === orderId;
    // Staff may take a coupon back while an order holds it, and an order outlives its coupons in Redis.
    const isGone = state === undefined && this.retired.has(`${userId}/${fieldHex}`);
    const isCutOff = !this.isWhole && (state === undefined || holder === undefined);
    if (isGone || isCutOff || (state === 'revoked' && !isHeld)) return;
    const agrees = expected === undefined ? !isHeld : isHeld && state === expected;
    this.holds.require(agrees, () => {
      return `${place}, leaves order ${orderId} of ${userId} ${head.state}, but its coupon ${coupon.couponId} ${state}`;
    });
  }

  private stateOf(userId: string, field: Buffer): CouponState | undefined {
    const value = this.images.wallets.get(userId)?.get(field.toString('latin1'));
    if (value === undefined) return undefined;
    try {
      return decodeCouponValue(Buffer.from(value, 'latin1')).state;
    } catch {
      return undefined;
    }
  }

  private holderOf(userId: string, field: Buffer): string | undefined {
    return this.images.accounts.get(userId)?.get(ACCOUNT_FIELDS.holder.bytes(field).toString('latin1'));
  }
}

function fieldOf(couponId: string): string | undefined {
  return parseCouponId(couponId)?.fieldHex;
}

/** The state an order wants its coupon in; undefined when it has it no more. */
function stateIn(head: Redemption, coupon: RedemptionCoupon): 'reserved' | 'used' | undefined {
  if (head.state === 'reserved') return 'reserved';
  const isUsed = (head.state === 'committed' || head.state === 'returned') && !coupon.returned;
  return isUsed ? 'used' : undefined;
}
