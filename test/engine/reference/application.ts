import type { DiscountClass, Failure } from '../../../src/domain/decision.ts';
import type { PromotionDefinition, RuleOf } from '../../../src/domain/promotion.ts';
import type { Contender } from './contenders.ts';
import { type Given, leftOfEligible, type Outcome, type Turn } from './effect-turn.ts';
import { applyEffect } from './effects.ts';
import { byCodeUnits, type ExactCart } from './exact-cart.ts';
import { spread, sum } from './exact-money.ts';
import { checkSpend } from './rule-checks.ts';

/** A contender that can be used, with the lines it works on. */
export interface Usable extends Contender {
  readonly definition: PromotionDefinition;
  readonly eligible: readonly number[];
}

/** What earlier promotions have left of the order. */
export interface Remains {
  readonly left: readonly bigint[];
  readonly shippingLeft: bigint;
}

/** The order before any discount. */
export function untouched(cart: ExactCart): Remains {
  return { left: cart.lines.map(({ amount }) => amount), shippingLeft: BigInt(cart.cart.shippingMinor) };
}

/** The order after a discount. */
export function after({ left, shippingLeft }: Remains, { lineOff, shippingOff }: Given): Remains {
  return {
    left: left.map((amount, place) => amount - (lineOff[place] ?? 0n)),
    shippingLeft: shippingLeft - shippingOff,
  };
}

/** When a promotion has its turn: on items, on the order, on shipping, as a benefit. */
export function classOf({ effect, rules }: PromotionDefinition): DiscountClass {
  if (effect.kind === 'shipping_off' || effect.kind === 'free_shipping') return 'shipping';
  if (effect.kind === 'bonus_points' || effect.kind === 'points_multiplier') return 'benefit';
  return rules.some(({ kind }) => kind === 'item_discount_scope') ? 'item' : 'order';
}

const CLASSES: readonly DiscountClass[] = ['item', 'order', 'shipping', 'benefit'];

/** What tells two candidates of one promotion apart. */
export function sourceText({ source }: Pick<Contender, 'source'>): string {
  if (source.kind === 'automatic') return '';
  return source.kind === 'coupon' ? source.couponId : source.code;
}

/** The order of application, as a comparator. */
export function byTurn(one: Usable, other: Usable): number {
  const classNumber = ({ definition }: Usable): number => CLASSES.indexOf(classOf(definition));
  return (
    classNumber(one) - classNumber(other) ||
    other.definition.priority - one.definition.priority ||
    byCodeUnits(one.promotionId, other.promotionId) ||
    byCodeUnits(sourceText(one), sourceText(other))
  );
}

/** Applies one promotion to what is left, or says why it cannot. */
export function applyTo(
  remains: Remains,
  { definition, eligible }: Pick<Usable, 'definition' | 'eligible'>,
  cart: ExactCart,
): Outcome {
  const turn: Turn = { cart, eligible, ...remains };
  const unmet = checkSpendAfter(definition, turn);
  if (unmet !== undefined) return { failure: unmet };
  const outcome = applyEffect(definition.effect, turn);
  return outcome.given === undefined ? outcome : withinBudget(definition, outcome.given);
}

function checkSpendAfter({ rules }: PromotionDefinition, turn: Turn): Failure | undefined {
  const isAfter = (rule: { kind: string; basis?: string }): boolean =>
    rule.kind === 'minimum_spend' && rule.basis === 'after';
  const ruleIndex = rules.findIndex(isAfter);
  const rule = rules.find((each): each is RuleOf<'minimum_spend'> => isAfter(each));
  const failure = rule && checkSpend('MINIMUM_SPEND_NOT_MET', rule.amountMinor, leftOfEligible(turn));
  return failure && { ...failure, ruleIndex, ruleKind: 'minimum_spend' };
}

function withinBudget({ budget }: PromotionDefinition, given: Given): Outcome {
  const off = sum(given.lineOff) + given.shippingOff;
  if (off === 0n && given.gifts.length === 0 && given.points === 0n)
    return { failure: { reason: 'NOTHING_TO_DISCOUNT' } };
  if (budget === undefined || off <= BigInt(budget.amountMinor)) return { given };
  if (budget.shortfall === 'refuse') {
    return { failure: { reason: 'BUDGET_EXCEEDED', needed: Number(off), seen: budget.amountMinor } };
  }
  const cut = spread(BigInt(budget.amountMinor), [...given.lineOff, given.shippingOff]);
  return { given: { ...given, lineOff: cut.slice(0, -1), shippingOff: cut.at(-1) ?? 0n } };
}
