import { isCurrency } from '../../domain/money.ts';
import type { FieldViolation } from '../../domain/refusal.ts';
import { compareLineIds } from '../../engine/prepared-cart.ts';
import type {
  Attribute,
  Cart,
  CartLine,
  CartSummary,
  EvaluateCartRequest,
  UserFacts,
} from '../../gen/hot/cart-requests.ts';
import { findRepeated } from './violations.ts';

const TOO_MUCH = 'takes the sum of the cart beyond 2^53 - 1 minor units';

/** What is wrong with a request to evaluate, beyond what the contract's annotations can say. */
export function findEvaluationFaults(request: EvaluateCartRequest, found: FieldViolation[]): void {
  const { cart, facts, offers, heldCoupons, useWallet, liveLimits, resolvedCodes } = request;
  if (cart !== undefined) findCartFaults(cart, found);
  findFactFaults(facts, found);
  findRepeated(
    offers.map(({ itemId }) => itemId),
    (index) => `offers[${index}].item_id`,
    found,
  );
  findRepeated(
    heldCoupons.map(({ couponId }) => couponId),
    (index) => `held_coupons[${index}].coupon_id`,
    found,
  );
  findRepeated(
    liveLimits.map(({ promotionRef }) => String(promotionRef)),
    (index) => `live_limits[${index}].promotion_ref`,
    found,
  );
  findRepeated(
    resolvedCodes.map(({ code }) => code),
    (index) => `resolved_codes[${index}].code`,
    found,
  );
  if (heldCoupons.length > 0 && !useWallet) {
    found.push({ field: 'held_coupons', description: 'must be empty without use_wallet' });
  }
}

/** What is wrong with the order of a question about coupons, and with the facts. */
export function findOrderFaults(
  order:
    | { readonly case: 'cart'; readonly value: Cart }
    | { readonly case: 'summary'; readonly value: CartSummary }
    | { readonly case: undefined },
  facts: UserFacts | undefined,
  found: FieldViolation[],
): void {
  if (order.case === 'cart') findCartFaults(order.value, found);
  if (order.case === 'summary') findSummaryFaults(order.value, found);
  findFactFaults(facts, found);
}

function findCartFaults({ currency, lines, shippingMinor, attributes }: Cart, found: FieldViolation[]): void {
  findCurrencyFault(currency, 'cart', found);
  findSumFault(lines, shippingMinor, found);
  findRepeatedLines(lines, found);
  findAttributeFaults(attributes, 'cart', found);
}

function findSummaryFaults(summary: CartSummary, found: FieldViolation[]): void {
  const { currency, totalMinor, shippingMinor, itemIds, lineCount, attributes } = summary;
  findCurrencyFault(currency, 'summary', found);
  if (lineCount > 0 && lineCount < itemIds.length) {
    found.push({ field: 'summary.line_count', description: 'is less than the number of items' });
  }
  if (!Number.isSafeInteger(totalMinor + shippingMinor)) {
    found.push({ field: 'summary.shipping_minor', description: TOO_MUCH });
  }
  findAttributeFaults(attributes, 'summary', found);
}

function findCurrencyFault(currency: string, path: string, found: FieldViolation[]): void {
  if (isCurrency(currency)) return;
  found.push({ field: `${path}.currency`, description: 'is not a currency known by its ISO 4217 code' });
}

/** Names the line that takes the sum too far; of a product beyond the safe range it is enough that it is not rounded into it. */
function findSumFault(lines: readonly CartLine[], shippingMinor: number, found: FieldViolation[]): void {
  let sum = 0;
  for (const [index, { quantity, unitPriceMinor }] of lines.entries()) {
    sum += quantity * unitPriceMinor;
    if (sum <= Number.MAX_SAFE_INTEGER) continue;
    found.push({ field: `cart.lines[${index}]`, description: TOO_MUCH });
    return;
  }
  if (sum + shippingMinor > Number.MAX_SAFE_INTEGER) {
    found.push({ field: 'cart.shipping_minor', description: TOO_MUCH });
  }
}

/** Most callers number their lines, and what rises need not be looked up. */
function findRepeatedLines(lines: readonly CartLine[], found: FieldViolation[]): void {
  if (areRising(lines)) return;
  findRepeated(
    lines.map(({ lineId }) => lineId),
    (index) => `cart.lines[${index}].line_id`,
    found,
  );
}

function areRising(lines: readonly CartLine[]): boolean {
  let before = '';
  for (const { lineId } of lines) {
    if (compareLineIds(before, lineId) >= 0) return false;
    before = lineId;
  }
  return true;
}

function findFactFaults(facts: UserFacts | undefined, found: FieldViolation[]): void {
  if (facts !== undefined) findAttributeFaults(facts.attributes, 'facts', found);
}

function findAttributeFaults(attributes: readonly Attribute[], path: string, found: FieldViolation[]): void {
  findRepeated(
    attributes.map(({ name }) => name),
    (index) => `${path}.attributes[${index}].name`,
    found,
  );
}
