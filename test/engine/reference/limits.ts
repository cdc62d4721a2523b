/** What earlier orders have left of limits, and how coupons and codes of one promotion share it. */
import type { Failure } from '../../../src/domain/decision.ts';
import type { LiveLimit } from '../../../src/domain/live-limit.ts';
import type { PromotionDefinition } from '../../../src/domain/promotion.ts';
import type { EvaluationInput } from '../../../src/engine/evaluation-input.ts';
import { applyTo, sourceText, type Usable, untouched } from './application.ts';
import { takesSlot } from './combination.ts';
import { type Contender, plainCode } from './contenders.ts';
import { byCodeUnits, type ExactCart } from './exact-cart.ts';
import { sum } from './exact-money.ts';

/** A contender and what became of it so far. */
export interface Checked {
  readonly contender: Contender;
  readonly usable?: Usable;
  readonly failure?: Failure;
}

function limitOf(ref: number, { limits = [] }: EvaluationInput): LiveLimit | undefined {
  return limits.find(({ promotionRef }) => promotionRef === ref);
}

/** Why nothing is left of a promotion. */
export function checkLimits({ ref }: PromotionDefinition, input: EvaluationInput): Failure | undefined {
  const { uses, userUses, budget } = limitOf(ref, input) ?? {};
  if (uses !== undefined && uses.seen >= uses.allowed)
    return { reason: 'USES_EXHAUSTED', needed: uses.allowed, seen: uses.seen };
  if (userUses !== undefined && userUses.seen >= userUses.allowed)
    return { reason: 'USER_USES_EXHAUSTED', needed: userUses.allowed, seen: userUses.seen };
  if (budget !== undefined && budget.leftMinor <= 0)
    return { reason: 'BUDGET_EXHAUSTED', needed: budget.amountMinor, seen: 0 };
  return undefined;
}

/** The promotion with the budget that is left, if that is less than it says itself. */
export function withBudgetLeft(definition: PromotionDefinition, input: EvaluationInput): PromotionDefinition {
  const left = limitOf(definition.ref, input)?.budget?.leftMinor;
  return left === undefined ? definition : withBudget(definition, left);
}

function withBudget(definition: PromotionDefinition, most: number): PromotionDefinition {
  const { amountMinor = Infinity, shortfall = 'refuse' } = definition.budget ?? {};
  return { ...definition, budget: { amountMinor: Math.min(amountMinor, most), shortfall } };
}

/** What was known about promotions that asked. */
export function limitsSeen(checked: readonly Checked[], { limits = [] }: EvaluationInput): LiveLimit[] {
  const refs = checked.flatMap(({ contender }) => contender.definition?.ref ?? []);
  return limits
    .filter(({ promotionRef }) => refs.includes(promotionRef))
    .sort((one, other) => one.promotionRef - other.promotionRef);
}

/** Hands out, promotion by promotion, what is left to several coupons or codes of it. */
export function shareOut(checked: readonly Checked[], cart: ExactCart, input: EvaluationInput): Checked[] {
  const wanting = inOrderOfWant(checked, cart, input);
  return (input.limits ?? []).reduce<Checked[]>(
    (soFar, limit) => {
      const group = wanting.filter(({ definition }) => definition.ref === limit.promotionRef);
      return mostTogether(group, input) < 2
        ? soFar
        : shareOne(soFar, group, limit, cart, mostTogether(group, input));
    },
    [...checked],
  );
}

/** How many of a promotion's candidates one order could use if there were no limit. */
function mostTogether(group: readonly Usable[], { couponsPerOrder }: EvaluationInput): number {
  const automatic = group.filter((each) => !takesSlot(each));
  return automatic.length + Math.min(group.length - automatic.length, couponsPerOrder);
}

function inOrderOfWant(
  checked: readonly Checked[],
  cart: ExactCart,
  { selection }: EvaluationInput,
): Usable[] {
  const offAlone = (usable: Usable): bigint => {
    const { given } = applyTo(untouched(cart), usable, cart);
    return given === undefined ? 0n : sum(given.lineOff) + given.shippingOff;
  };
  const usable = checked.flatMap((each) => each.usable ?? []);
  const better = usable.toSorted(
    (one, other) =>
      Number(offAlone(other) - offAlone(one)) ||
      (one.expiresAtMs === other.expiresAtMs
        ? byCodeUnits(one.promotionId, other.promotionId) || byCodeUnits(sourceText(one), sourceText(other))
        : one.expiresAtMs - other.expiresAtMs),
  );
  if (selection.kind === 'best') return better;
  const byName = (kind: string, name: string): Usable[] =>
    usable.filter((each) => each.source.kind === kind && sourceText(each) === name);
  const wanted = [
    ...selection.couponIds.flatMap((id) => byName('coupon', id)),
    ...selection.codes.flatMap((code) => byName('code', plainCode(code))),
  ];
  return [...new Set(wanted), ...better.filter((each) => !takesSlot(each))];
}

function shareOne(
  checked: readonly Checked[],
  group: readonly Usable[],
  { uses, userUses, budget }: LiveLimit,
  cart: ExactCart,
  together: number,
): Checked[] {
  const ofAll = uses === undefined ? Infinity : uses.allowed - uses.seen;
  const ofUser = userUses === undefined ? Infinity : userUses.allowed - userUses.seen;
  const places = Math.min(ofAll, ofUser);
  const staying = places < together ? group.slice(0, places) : group;
  const full: Failure =
    ofAll <= ofUser
      ? { reason: 'USES_EXHAUSTED', needed: uses?.allowed ?? 0, seen: uses?.allowed ?? 0 }
      : { reason: 'USER_USES_EXHAUSTED', needed: userUses?.allowed ?? 0, seen: userUses?.allowed ?? 0 };
  const out = new Map<Usable, Failure>(group.slice(staying.length).map((usable) => [usable, full]));
  const cut = new Map<Usable, Usable>();
  const total = sum(cart.lines.map(({ amount }) => amount)) + BigInt(cart.cart.shippingMinor);
  let left = budget?.leftMinor ?? Infinity;
  for (const usable of staying) {
    const own = Math.min(usable.definition.budget?.amountMinor ?? Infinity, budget?.leftMinor ?? Infinity);
    if (budget === undefined || own >= Number(total)) continue;
    const definition = withBudget(usable.definition, left);
    const { given, failure } =
      definition.budget?.amountMinor === 0
        ? withNothingLeft(usable, cart)
        : applyTo(untouched(cart), { ...usable, definition }, cart);
    if (failure?.reason === 'BUDGET_EXCEEDED') out.set(usable, failure);
    const off = given === undefined ? 0 : Number(sum(given.lineOff) + given.shippingOff);
    if (off === 0) continue;
    cut.set(usable, { ...usable, definition: withBudget(usable.definition, off) });
    left -= off;
  }
  return checked.map((each) => {
    const failure = each.usable && out.get(each.usable);
    if (failure !== undefined) return { contender: each.contender, failure };
    const usable = each.usable && cut.get(each.usable);
    return usable === undefined ? each : { contender: each.contender, usable };
  });
}

/** With nothing left there is nothing to cut to: whatever is taken off is too much. */
function withNothingLeft(usable: Usable, cart: ExactCart): ReturnType<typeof applyTo> {
  const definition = { ...usable.definition, budget: { amountMinor: 0, shortfall: 'refuse' as const } };
  return applyTo(untouched(cart), { ...usable, definition }, cart);
}
