/** Every kind of rule as one plain question. */
import type { UserFacts } from '../../../src/domain/cart.ts';
import type { Failure, RejectionReason } from '../../../src/domain/decision.ts';
import type { ItemSelection, MatchMode, Rule, RuleOf } from '../../../src/domain/promotion.ts';
import { type ExactCart, isIn } from './exact-cart.ts';
import { checkExpression } from './expression-check.ts';
import { clockText, wallTime } from './local-time.ts';

/** What rules look at. Money and units before any discount. */
export interface RuleView {
  readonly cart: ExactCart;
  readonly eligible: readonly number[];
  readonly spend: bigint;
  readonly units: number;
  /** The whole order without excluded lines, whatever the scope. */
  readonly orderSpend: bigint;
  readonly facts: UserFacts;
  readonly atMs: number;
}

/** Why a rule does not hold; undefined when it does. */
export function checkRule(rule: Rule, view: RuleView): Failure | undefined {
  switch (rule.kind) {
    case 'minimum_spend':
      return rule.basis === 'after'
        ? undefined
        : checkSpend('MINIMUM_SPEND_NOT_MET', rule.amountMinor, view.spend);
    case 'spend_for_gift':
      return checkSpend('GIFT_CONDITION_NOT_MET', rule.amountMinor, view.orderSpend);
    case 'item_eligibility':
      return checkPresence('REQUIRED_ITEMS_MISSING', rule.selection, rule.match, view.cart);
    case 'conditional_gift_item':
      return checkPresence('GIFT_CONDITION_NOT_MET', rule.selection, rule.match, view.cart);
    case 'exclusion':
      return rule.presenceRefuses ? checkAbsence(rule.selection, view.cart) : undefined;
    case 'sale_items':
      return rule.handling === 'refuse' ? checkNoSale(view.cart) : undefined;
    case 'time_slot':
      return checkTimeSlot(rule, view.atMs);
    case 'quantity_threshold':
      return checkUnits('QUANTITY_NOT_MET', rule.minQuantity, view.units);
    case 'first_order':
      return checkFirstOrder(view.facts);
    case 'nth_order':
      return checkNthOrder(rule, view.facts);
    case 'channel':
      return checkListed('CHANNEL_NOT_ALLOWED', 'channel', rule.channels, view.cart.cart.channel);
    case 'region':
      return checkListed('REGION_NOT_ALLOWED', 'region', rule.regions, view.cart.cart.region);
    case 'payment_method': {
      const { paymentMethod } = view.cart.cart;
      return checkListed('PAYMENT_METHOD_NOT_ALLOWED', 'payment_method', rule.paymentMethods, paymentMethod);
    }
    case 'custom_attribute':
      return checkAttribute(rule, view);
    case 'cel':
      return checkExpression(rule.expression, view);
    case 'item_discount_scope':
    case 'stackability':
      return undefined;
  }
}

/** A threshold in money: reached when the spend is at least as much. */
export function checkSpend(reason: RejectionReason, needed: number, spend: bigint): Failure | undefined {
  if (spend >= BigInt(needed)) return undefined;
  const seen = Number(spend);
  return { reason, needed, seen, shortfall: { kind: 'minor', missing: needed - seen } };
}

/** A threshold in units. */
export function checkUnits(reason: RejectionReason, needed: number, seen: number): Failure | undefined {
  if (seen >= needed) return undefined;
  return { reason, needed, seen, shortfall: { kind: 'units', missing: needed - seen } };
}

/** Whether the cart has an item, or a line of a category. */
function has(cart: ExactCart, kind: 'itemIds' | 'categoryIds', id: string): boolean {
  const selection: ItemSelection = { itemIds: [], categoryIds: [], [kind]: [id] };
  return cart.lines.some((line) => isIn(line, selection));
}

function checkPresence(
  reason: RejectionReason,
  selection: ItemSelection,
  match: MatchMode,
  cart: ExactCart,
): Failure | undefined {
  const missing = [
    ...selection.itemIds.filter((id) => !has(cart, 'itemIds', id)),
    ...selection.categoryIds.filter((id) => !has(cart, 'categoryIds', id)),
  ];
  const listed = selection.itemIds.length + selection.categoryIds.length;
  const isMet = match === 'any' ? missing.length < listed : missing.length === 0;
  return isMet ? undefined : { reason, needed: missing[0] ?? '' };
}

function checkAbsence(selection: ItemSelection, cart: ExactCart): Failure | undefined {
  const found = cart.lines.find((line) => isIn(line, selection));
  return found && { reason: 'EXCLUDED_ITEM_PRESENT', seen: found.line.itemId };
}

function checkNoSale(cart: ExactCart): Failure | undefined {
  const found = cart.lines.find(({ line }) => line.isOnSale);
  return found && { reason: 'SALE_ITEM_PRESENT', seen: found.line.itemId };
}

function checkTimeSlot(rule: RuleOf<'time_slot'>, atMs: number): Failure | undefined {
  const { slots, days, timeZone } = rule;
  const now = wallTime(atMs, timeZone);
  const counts = (day: number): boolean => days.length === 0 || days.includes(day);
  const yesterday = now.day === 1 ? 7 : now.day - 1;
  const isOpen = slots.some(({ startMinute, endMinute }) => {
    const crossesMidnight = endMinute <= startMinute;
    const isToday = now.minute >= startMinute && (crossesMidnight || now.minute < endMinute);
    return (isToday && counts(now.day)) || (crossesMidnight && now.minute < endMinute && counts(yesterday));
  });
  const isMet = slots.length === 0 ? counts(now.day) : isOpen;
  return isMet
    ? undefined
    : { reason: 'OUTSIDE_TIME_SLOT', needed: openingText(rule), seen: `${now.day} ${clockText(now.minute)}` };
}

/** "1,2,3 11:00-14:00,17:00-21:00"; days or hours that do not matter are left out. */
function openingText({ days, slots }: RuleOf<'time_slot'>): string {
  const hours = slots.map(
    ({ startMinute, endMinute }) => `${clockText(startMinute)}-${clockText(endMinute)}`,
  );
  return `${days.join(',')} ${hours.join(',')}`.trim();
}

function checkFirstOrder({ ordersCompleted }: UserFacts): Failure | undefined {
  if (ordersCompleted === undefined) return { reason: 'FACT_MISSING', needed: 'orders_completed' };
  return ordersCompleted === 0 ? undefined : { reason: 'NOT_FIRST_ORDER', needed: 0, seen: ordersCompleted };
}

function checkNthOrder({ nth, repeats }: RuleOf<'nth_order'>, facts: UserFacts): Failure | undefined {
  if (facts.ordersCompleted === undefined) return { reason: 'FACT_MISSING', needed: 'orders_completed' };
  const seen = facts.ordersCompleted + 1;
  const isMet = repeats ? seen % nth === 0 : seen === nth;
  return isMet ? undefined : { reason: 'NOT_NTH_ORDER', needed: nth, seen };
}

function checkListed(
  reason: RejectionReason,
  fact: string,
  allowed: readonly string[],
  seen: string | undefined,
): Failure | undefined {
  if (seen === undefined) return { reason: 'FACT_MISSING', needed: fact };
  return allowed.includes(seen) ? undefined : { reason, needed: allowed.slice(0, 5).join(', '), seen };
}

function checkAttribute(rule: RuleOf<'custom_attribute'>, { cart, facts }: RuleView): Failure | undefined {
  const { attribute, source, condition } = rule;
  const value = (source === 'cart' ? cart.cart.attributes : facts.attributes)?.get(attribute);
  const missing: Failure = { reason: 'FACT_MISSING', needed: attribute };
  const answer = (holds: boolean, needed?: string | number): Failure | undefined => {
    const seen = typeof value === 'boolean' ? String(value) : (value ?? '');
    const failure = { reason: 'ATTRIBUTE_NOT_MATCHED', seen } as const;
    if (holds) return undefined;
    return needed === undefined ? failure : { ...failure, needed };
  };
  switch (condition.kind) {
    case 'one_of':
      if (typeof value !== 'string') return missing;
      return answer(condition.values.includes(value), condition.values.slice(0, 5).join(', '));
    case 'none_of':
      if (typeof value !== 'string') return missing;
      return answer(!condition.values.includes(value));
    case 'in_range': {
      if (typeof value !== 'number') return missing;
      const { atLeast = -Infinity, atMost = Infinity } = condition;
      return answer(value >= atLeast && value <= atMost, value < atLeast ? atLeast : atMost);
    }
    case 'equals':
      if (typeof value !== 'boolean') return missing;
      return answer(value === condition.value, String(condition.value));
  }
}
