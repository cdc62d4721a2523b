/** Decoded parts of requests into the plain types of the domain. What a message leaves empty is absent there. */
import type { AttributeValue, Cart, CartSummary, ItemOffer, UserFacts } from '../../domain/cart.ts';
import type { CouponState } from '../../domain/coupon.ts';
import { epochMs } from '../../domain/epoch-ms.ts';
import type { LiveLimit } from '../../domain/live-limit.ts';
import type { HeldCoupon, ResolvedCode } from '../../engine/evaluation-input.ts';
import { normalisedCode } from '../../engine/normalised-code.ts';
import { TaxMode as TaxModeMessage } from '../../gen/hongbao/v1/cart_service_pb.ts';
import { CouponState as CouponStateMessage } from '../../gen/hongbao/v1/coupon_service_pb.ts';
import type {
  Attribute,
  CartLine,
  Cart as CartMessage,
  ResolvedCode as CodeMessage,
  UserFacts as FactsMessage,
  HeldCoupon as HeldCouponMessage,
  LiveLimit as LimitMessage,
  ItemOffer as OfferMessage,
  CartSummary as SummaryMessage,
} from '../../gen/hot/cart-requests.ts';

const NO_ATTRIBUTES: ReadonlyMap<string, AttributeValue> = new Map();
const NO_OFFERS: ReadonlyMap<string, ItemOffer> = new Map();
const NO_FACTS: UserFacts = {};

/** The states by their number in the contract. A valid wallet has no other. */
const COUPON_STATES = new Map<number, CouponState>([
  [CouponStateMessage.UNUSED, 'unused'],
  [CouponStateMessage.RESERVED, 'reserved'],
  [CouponStateMessage.USED, 'used'],
  [CouponStateMessage.EXPIRED, 'expired'],
  [CouponStateMessage.REVOKED, 'revoked'],
]);

/** A valid cart. */
export function cartOf(message: CartMessage): Cart {
  const { currency, taxMode, lines, shippingMinor } = message;
  return {
    currency,
    taxMode: taxMode === TaxModeMessage.EXCLUDED ? 'excluded' : 'included',
    lines: lines.map(lineOf),
    shippingMinor,
    ...circumstancesOf(message),
  };
}

function lineOf({
  lineId,
  itemId,
  categoryIds,
  quantity,
  unitPriceMinor,
  onSale,
}: CartLine): Cart['lines'][number] {
  return { lineId, itemId, categoryIds, quantity, unitPriceMinor, isOnSale: onSale };
}

/** A valid summary of a cart. Taxes change nothing about it. */
export function summaryOf(message: SummaryMessage): CartSummary {
  const { currency, totalMinor, shippingMinor, itemIds, lineCount } = message;
  return {
    currency,
    taxMode: 'included',
    totalMinor,
    shippingMinor,
    ...(itemIds.length > 0 && { itemIds: new Set(itemIds) }),
    ...(lineCount > 0 && { lineCount }),
    ...circumstancesOf(message),
  };
}

function circumstancesOf({
  channel,
  region,
  paymentMethod,
  attributes,
}: CartMessage | SummaryMessage): Pick<Cart, 'channel' | 'region' | 'paymentMethod' | 'attributes'> {
  return {
    ...(channel !== '' && { channel }),
    ...(region !== '' && { region }),
    ...(paymentMethod !== '' && { paymentMethod }),
    attributes: attributesOf(attributes),
  };
}

function attributesOf(attributes: readonly Attribute[]): ReadonlyMap<string, AttributeValue> {
  if (attributes.length === 0) return NO_ATTRIBUTES;
  const values = new Map<string, AttributeValue>();
  for (const { name, value } of attributes) if (value.case !== undefined) values.set(name, value.value);
  return values;
}

/** What is known about the user: nothing when the caller may not state it. No tag means that the tags are not known. */
export function factsOf(message: FactsMessage | undefined, areBelieved: boolean): UserFacts {
  if (message === undefined || !areBelieved) return NO_FACTS;
  const { tags, registeredAt, ordersCompleted, attributes, level, birthday } = message;
  return {
    ...(tags.length > 0 && { tags: new Set(tags) }),
    ...(registeredAt !== undefined && { registeredAtMs: epochMs(registeredAt) }),
    ...(ordersCompleted !== undefined && { ordersCompleted }),
    ...(attributes.length > 0 && { attributes: attributesOf(attributes) }),
    ...(level !== '' && { level }),
    ...(birthday !== '' && { birthday }),
  };
}

/** What is known about items that may be given, by item. */
export function offersOf(messages: readonly OfferMessage[]): ReadonlyMap<string, ItemOffer> {
  if (messages.length === 0) return NO_OFFERS;
  return new Map(
    messages.map(({ itemId, unitPriceMinor, unavailable }) => [
      itemId,
      { unitPriceMinor, isAvailable: !unavailable },
    ]),
  );
}

/** A wallet as an earlier answer gave it. */
export function walletOf(messages: readonly HeldCouponMessage[]): HeldCoupon[] {
  return messages.map(({ validFrom, expiresAt, state, ...ids }) => ({
    ...ids,
    state: COUPON_STATES.get(state) ?? 'revoked',
    validFromMs: validFrom === undefined ? 0 : epochMs(validFrom),
    ...(expiresAt !== undefined && { expiresAtMs: epochMs(expiresAt) }),
  }));
}

/** Limits as an earlier answer gave them. */
export function limitsOf(messages: readonly LimitMessage[]): LiveLimit[] {
  return messages.map(({ promotionRef, uses, userUses, budget }) => ({
    promotionRef,
    ...(uses !== undefined && { uses }),
    ...(userUses !== undefined && { userUses }),
    ...(budget !== undefined && { budget }),
  }));
}

/** Single-use codes as an earlier answer gave them. */
export function codesOf(messages: readonly CodeMessage[]): ResolvedCode[] {
  return messages.map(({ code, promotionRef, taken }) => ({
    code: normalisedCode(code),
    promotionRef,
    state: taken ? 'taken' : 'free',
  }));
}
