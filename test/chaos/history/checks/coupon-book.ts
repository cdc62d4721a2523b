/** Every coupon of the log: when it came to be, and every state since. Other checks read it. */
import { type CouponValue, couponIdOf, decodeCouponValue } from '../../../../src/domain/coupon.ts';
import { type EventKind, issuesCoupons } from '../../../../src/ledger/event-format.ts';
import type { Observer, SeenEvent, SeenWrite } from '../state/replay.ts';
import type { Findings, Place } from '../violation.ts';

/** A coupon's wallet field is 16 bytes; no other field of a wallet is. */
const COUPON_FIELD_LENGTH = 16;

/** A coupon that an event brought into being. */
export interface IssuedCoupon {
  readonly couponId: string;
  readonly userId: string;
  /** The wallet field in hex: what the coupon's id ends with. */
  readonly fieldHex: string;
  readonly ref: string;
  readonly version: number;
  readonly kind: EventKind;
  readonly place: Place;
  readonly timeMs: number;
}

/** A coupon changed, or came to be. */
export interface CouponChange {
  readonly userId: string;
  readonly fieldHex: string;
  readonly before: CouponValue | undefined;
  /** Undefined when it left Redis. */
  readonly after: CouponValue | undefined;
}

/** States a coupon may go to from each state; `expired` is never written. */
const MAY_BECOME: Readonly<Record<string, readonly string[]>> = {
  unused: ['unused', 'reserved', 'used', 'revoked'],
  reserved: ['reserved', 'used', 'unused', 'revoked'],
  used: ['used', 'unused', 'revoked'],
  revoked: ['revoked'],
  expired: ['expired', 'unused'],
};

/** Follows coupons, and holds them to be issued once and to change as coupons may. */
export class CouponBook implements Observer {
  private readonly findings: Findings;
  private readonly issues = new Map<string, IssuedCoupon>();
  private readonly values = new Map<string, CouponValue>();
  private changes: CouponChange[] = [];
  private fresh: IssuedCoupon[] = [];

  constructor(findings: Findings) {
    this.findings = findings;
  }

  /** Coupons the last event issued. */
  get justIssued(): readonly IssuedCoupon[] {
    return this.fresh;
  }

  /** What the last event did to coupons. */
  get justChanged(): readonly CouponChange[] {
    return this.changes;
  }

  /** Every coupon ever issued. */
  get issued(): Iterable<IssuedCoupon> {
    return this.issues.values();
  }

  /** The coupon in a user's wallet field, if it was ever issued. */
  issuedTo(userId: string, fieldHex: string): IssuedCoupon | undefined {
    return this.issues.get(`${userId}/${fieldHex}`);
  }

  /** The coupon as the events left it. */
  valueOf(userId: string, fieldHex: string): CouponValue | undefined {
    return this.values.get(`${userId}/${fieldHex}`);
  }

  see(event: SeenEvent): void {
    this.changes = [];
    this.fresh = [];
    for (const write of event.writes) if (write.target === 'wallet') this.seeWallet(event, write);
  }

  private seeWallet(event: SeenEvent, { id: userId, fields }: SeenWrite): void {
    for (const { name, value } of fields) {
      if (name.length !== COUPON_FIELD_LENGTH) continue;
      this.seeCoupon(event, userId, Buffer.from(name, 'latin1').toString('hex'), value);
    }
  }

  private seeCoupon(event: SeenEvent, userId: string, fieldHex: string, value: string | undefined): void {
    const key = `${userId}/${fieldHex}`;
    const before = this.values.get(key);
    const after = value === undefined ? undefined : this.read(event.place, key, value);
    this.changes.push({ userId, fieldHex, before, after });
    if (after === undefined) this.values.delete(key);
    else {
      this.values.set(key, after);
      if (issuesCoupons(event.kind)) this.issue(event, userId, fieldHex, after);
      else this.change(event.place, key, before, after);
    }
  }

  private read(place: Place, key: string, value: string): CouponValue | undefined {
    try {
      return decodeCouponValue(Buffer.from(value, 'latin1'));
    } catch {
      this.findings.breach('I6', 'unreadable-coupon', `coupon ${key} cannot be read`, { places: [place] });
      return undefined;
    }
  }

  private issue(event: SeenEvent, userId: string, fieldHex: string, value: CouponValue): void {
    const key = `${userId}/${fieldHex}`;
    const { place, kind, timeMs } = event;
    const earlier = this.issues.get(key);
    this.findings.count('coupons issued');
    if (earlier !== undefined) {
      const text = `one request of ${userId} issues coupon ${fieldHex} twice`;
      this.findings.breach('I4', 'issued-twice', text, { places: [earlier.place, place] });
    }
    if (value.state !== 'unused') {
      this.findings.breach('I4', 'issued-not-unused', `coupon ${key} is issued ${value.state}`, {
        places: [place],
      });
    }
    const couponId = couponIdOf(value.issuedAtMs, fieldHex);
    const [ref, version] = [String(value.promotionRef), value.promotionVersion];
    const issued = { couponId, userId, fieldHex, ref, version, kind, place, timeMs };
    this.issues.set(key, issued);
    this.fresh.push(issued);
  }

  private change(place: Place, key: string, before: CouponValue | undefined, after: CouponValue): void {
    if (before === undefined) {
      const isKnown = this.issues.has(key) || place.generation > 1;
      if (!isKnown) {
        const text = `coupon ${key} turns up ${after.state} without having been issued`;
        this.findings.breach('I6', 'coupon-from-nowhere', text, { places: [place] });
      }
      return;
    }
    const issue = this.issues.get(key)?.place;
    if (!MAY_BECOME[before.state]?.includes(after.state)) {
      const text = `coupon ${key} goes from ${before.state} to ${after.state}`;
      this.findings.breach('I4', 'coupon-state', text, { places: [issue, place] });
    }
    const isSame = before.promotionRef === after.promotionRef && before.issuedAtMs === after.issuedAtMs;
    if (!isSame) {
      const text = `coupon ${key} becomes one of another promotion or moment`;
      this.findings.breach('I4', 'coupon-replaced', text, { places: [issue, place] });
    }
  }
}
