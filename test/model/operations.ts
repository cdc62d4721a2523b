/** Everything that is done to coupons, orders and points in the model-based test, as data: so it can be done again, or altered. */

/** The users of a sequence, and the orders each of them may make. */
export const USERS = ['ann', 'ben'] as const;
export const ORDERS = ['o1', 'o2', 'o3', 'o4', 'o5', 'o6'] as const;

/** The promotions of a sequence, one of each kind. */
export const PROMOTIONS = ['plain', 'dated', 'staff', 'points', 'auto', 'budget', 'bonus'] as const;

/** One of the users, orders or promotions. */
export type User = (typeof USERS)[number];
/** See {@link User}. */
export type Order = (typeof ORDERS)[number];
/** See {@link User}. */
export type Name = (typeof PROMOTIONS)[number];

/** What an order is about: units of one item, and shipping. */
export interface ModelCart {
  readonly quantity: number;
  readonly unitPriceMinor: number;
  readonly shippingMinor: number;
}

interface OfUser {
  readonly user: User;
}

interface OfOrder extends OfUser {
  readonly order: Order;
}

interface Requested {
  readonly request: string;
}

/** A coupon comes to be. */
export interface IssueOperation extends OfUser, Requested {
  readonly kind: 'claim' | 'grant' | 'exchange';
  readonly promotion: Name;
}

/** Staff take a coupon back. */
export interface RevokeOperation extends OfUser {
  readonly kind: 'revoke';
  readonly couponId: string;
  readonly returnStock: boolean;
}

/** A user hides a coupon. */
export interface HideOperation extends OfUser {
  readonly kind: 'hide';
  readonly couponId: string;
}

/** An order takes what it needs: held, or used at once when `holdMs` is absent. */
export interface HoldOperation extends OfOrder, Requested {
  readonly kind: 'hold';
  readonly couponIds: readonly string[];
  readonly cart: ModelCart;
  readonly holdMs?: number;
  readonly expectedMinor?: number;
  readonly orderNumber: string;
}

/** A reservation ends by a call; an empty reservation means the latest. */
export interface EndOperation extends OfOrder, Requested {
  readonly kind: 'commit' | 'release';
  readonly reservation: string;
}

/** The sweep looks at an order. */
export interface LapseOperation extends OfOrder {
  readonly kind: 'lapse';
}

/** Uses are given back: of some coupons, or with none named of the whole order. */
export interface ReturnOperation extends OfOrder, Requested {
  readonly kind: 'return';
  readonly couponIds: readonly string[];
}

/** Units go back, and discounts are kept. */
export interface RefundOperation extends OfOrder, Requested {
  readonly kind: 'refund';
  readonly units: number;
  readonly shipping: boolean;
}

/** A completed order earns. */
export interface EarnOperation extends OfOrder {
  readonly kind: 'earn';
  readonly paidMinor: number;
}

/** The shop tells of a refund. */
export interface ReverseOperation extends OfOrder {
  readonly kind: 'reverse';
  readonly remainingMinor: number;
}

/** Points for a test. */
export interface AwardOperation extends OfUser, Requested {
  readonly kind: 'award';
  readonly points: number;
}

/** One thing that is done. */
export type Operation =
  | IssueOperation
  | RevokeOperation
  | HideOperation
  | HoldOperation
  | EndOperation
  | LapseOperation
  | ReturnOperation
  | RefundOperation
  | EarnOperation
  | ReverseOperation
  | AwardOperation;

/** What came of an operation: plain data that can be compared. A refusal is `{ refused, … }` with what it tells. */
export type Answer = Readonly<Record<string, unknown>>;
