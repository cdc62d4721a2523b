/** The state of the model: what one sequence's users, orders and promotions must be. Plain data, so that it can be copied and compared. */
import type { ModelCart, Name, Order, User } from './operations.ts';
import { ORDERS, PROMOTIONS, USERS } from './operations.ts';
import type { Terms } from './terms.ts';

/** A coupon. Times in ms since the epoch. */
export interface ModelCoupon {
  readonly couponId: string;
  readonly promotion: Name;
  state: 'unused' | 'reserved' | 'used' | 'revoked';
  readonly source: 'claim' | 'staff' | 'points';
  isHidden: boolean;
  readonly issuedAtMs: number;
  expiresAtMs: number | undefined;
  /** The order that holds or has used it. */
  holder?: Order;
  /** What it cost. */
  points: number;
}

/** A use of a promotion by an order. */
export interface ModelUse {
  readonly promotion: Name;
  readonly couponId?: string;
  readonly offMinor: number;
  /** The day it is counted on. */
  day: string | undefined;
  isGivenBack: boolean;
}

/** What an order has or had. */
export interface ModelHead {
  state: 'reserved' | 'committed' | 'released' | 'expired' | 'returned';
  readonly reservation: string;
  readonly content: string;
  /** Earlier reservations by request id, and what each asked for. */
  readonly reservations: Record<string, string>;
  readonly endings: Record<string, 'commit' | 'release'>;
  readonly cart: ModelCart;
  readonly reservedAtMs: number;
  readonly dueAtMs: number;
  committedAtMs: number;
  readonly payableMinor: number;
  readonly linePaidMinor: number;
  readonly bonus: number;
  readonly uses: ModelUse[];
  readonly returned: string[];
  unitsBack: number;
  lineRefundedMinor: number;
  shippingRefundedMinor: number;
}

/** What an order earned. */
export interface ModelEarned {
  readonly paidMinor: number;
  readonly earned: number;
  readonly bonus: number;
  reversed: number;
}

/** An order of a user. */
export interface ModelOrder {
  head?: ModelHead;
  earned?: ModelEarned;
  /** Returns and refunds by request: what was asked, and what came of it. */
  readonly given: Record<string, { readonly content: string; readonly answer: Record<string, unknown> }>;
}

/** A user. */
export interface ModelUser {
  readonly coupons: ModelCoupon[];
  /** Coupons of the promotion the user was given, ever. */
  readonly issued: Record<Name, number>;
  /** Uses of the promotion. */
  readonly uses: Record<Name, number>;
  /** The running count of coupons that can be used. */
  live: number;
  points: { number: number; earned: number; available: number; debt: number };
  readonly awards: Record<string, number>;
  readonly orders: Record<Order, ModelOrder>;
}

/** What is counted of a promotion. */
export interface ModelPromotion {
  readonly terms: Terms;
  issued: number;
  stockReturned: number;
  uses: number;
  moneyMinor: number;
  readonly days: Record<string, number>;
}

/** Everything. */
export interface ModelState {
  nowMs: number;
  /** What the names of the sequence's users begin with. */
  readonly prefix: string;
  readonly users: Record<User, ModelUser>;
  readonly promotions: Record<Name, ModelPromotion>;
}

/** A record with a value for every name. */
export function each<Key extends string, Value>(
  keys: readonly Key[],
  valueFor: (key: Key) => Value,
): Record<Key, Value> {
  const record: Partial<Record<Key, Value>> = {};
  for (const key of keys) record[key] = valueFor(key);
  return record as Record<Key, Value>;
}

const NO_POINTS = { number: 0, earned: 0, available: 0, debt: 0 };

function newUser(): ModelUser {
  return {
    coupons: [],
    issued: each(PROMOTIONS, () => 0),
    uses: each(PROMOTIONS, () => 0),
    live: 0,
    points: { ...NO_POINTS },
    awards: {},
    orders: each(ORDERS, (): ModelOrder => ({ given: {} })),
  };
}

/** Nothing has happened yet. */
export function newModel(prefix: string, terms: readonly Terms[], nowMs: number): ModelState {
  return {
    nowMs,
    prefix,
    users: each(USERS, newUser),
    promotions: each(PROMOTIONS, (name) => {
      const own = terms.find((one) => one.name === name);
      if (own === undefined) throw new Error(`no terms for ${name}`);
      return { terms: own, issued: 0, stockReturned: 0, uses: 0, moneyMinor: 0, days: {} };
    }),
  };
}

/** The name by which a user of the sequence is known. */
export function userIdOf({ prefix }: Pick<ModelState, 'prefix'>, user: User): string {
  return `${prefix}-${user}`;
}

/** The day of the moment, in UTC, as counters name it. */
export function dayOf(nowMs: number): string {
  return `d${new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '')}`;
}

/** A refusal as an answer. */
export function refused(reason: string, detail: Readonly<Record<string, unknown>> = {}) {
  return { refused: reason, ...detail };
}

/** The state a reader sees. */
export function stateNow({ state, expiresAtMs }: ModelCoupon, nowMs: number): string {
  return state === 'unused' && expiresAtMs !== undefined && nowMs > expiresAtMs ? 'expired' : state;
}

/** The coupon with this id. */
export function findCoupon({ coupons }: ModelUser, couponId: string): ModelCoupon | undefined {
  return coupons.find((coupon) => coupon.couponId === couponId);
}
