/** What is bought, by whom it is bought, and where: the input of a decision. All money is integer minor units of one currency. */

/** Whether the prices of a cart hold the tax. Discounts are taken from the prices as they are. */
export type TaxMode = 'included' | 'excluded';

/** A value of an attribute the shop defines. Numbers are whole. */
export type AttributeValue = string | number | boolean;

/** One line of a cart. */
export interface CartLine {
  /** Unique in its cart. The line order of the money contract is the order of these ids: shorter first, then by bytes. */
  readonly lineId: string;
  readonly itemId: string;
  readonly categoryIds: readonly string[];
  /** Units; 1 to 1,000,000. */
  readonly quantity: number;
  /** Price of one unit before any discount; 0 or more. */
  readonly unitPriceMinor: number;
  /** On sale already; what that means is each promotion's choice. */
  readonly isOnSale: boolean;
}

/** A cart. The sum of its lines and shipping is a safe integer. */
export interface Cart {
  /** ISO 4217. */
  readonly currency: string;
  readonly taxMode: TaxMode;
  /** 0 to 5,000 lines. */
  readonly lines: readonly CartLine[];
  readonly shippingMinor: number;
  readonly channel?: string;
  readonly region?: string;
  readonly paymentMethod?: string;
  readonly attributes: ReadonlyMap<string, AttributeValue>;
}

/** A cart known by its total only, and perhaps by its items: enough to say what can surely be used. */
export interface CartSummary extends Omit<Cart, 'lines'> {
  /** Sum of all lines before any discount. */
  readonly totalMinor: number;
  /** Every item of the cart, each once; absent when the items are not known. */
  readonly itemIds?: ReadonlySet<string>;
  /** How many lines it has; absent when that is not known. */
  readonly lineCount?: number;
}

/** What is known about the user. What is absent is unknown, and a condition on it does not hold. */
export interface UserFacts {
  readonly tags?: ReadonlySet<string>;
  readonly registeredAtMs?: number;
  readonly ordersCompleted?: number;
  readonly attributes?: ReadonlyMap<string, AttributeValue>;
  /** The member level; it counts as a tag of the same name. */
  readonly level?: string;
  /** The day of birth, as YYYY-MM-DD. */
  readonly birthday?: string;
}

/** Whether the user has a tag; the member level counts as one. */
export function hasTag({ tags, level }: UserFacts, tag: string): boolean {
  return tags?.has(tag) === true || level === tag;
}

/** Price and availability of an item that need not be in the cart, for choosing among gifts. */
export interface ItemOffer {
  readonly unitPriceMinor: number;
  readonly isAvailable: boolean;
}
