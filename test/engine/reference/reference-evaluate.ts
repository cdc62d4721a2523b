/** The contract of an evaluation in its plainest form: slow, without an index or a clever search, and easy to check by reading. */
import type { AppliedPromotion, Decision, LineShare } from '../../../src/domain/decision.ts';
import type { PromotionDefinition } from '../../../src/domain/promotion.ts';
import type { EvaluationInput } from '../../../src/engine/evaluation-input.ts';
import { classOf } from './application.ts';
import { checkContender } from './candidate-check.ts';
import { type Application, type Chosen, combine } from './combination.ts';
import { contendersOf } from './contenders.ts';
import { type ExactCart, exactCart } from './exact-cart.ts';
import { runsOf, sum } from './exact-money.ts';
import { limitsSeen, shareOut } from './limits.ts';
import { type Missed, nearMissesOf } from './near-misses.ts';

/**
 * Decides about a cart by trying every set of usable candidates. For a dozen usable candidates at most: each one more doubles
 * the work.
 *
 * @param older Earlier versions of promotions, for coupons that hold them.
 */
export function referenceEvaluate(
  current: readonly PromotionDefinition[],
  older: readonly PromotionDefinition[],
  input: EvaluationInput,
  ruleSetVersion = 1,
): Decision {
  const cart = exactCart(input.cart, input.offers);
  const asked = contendersOf({ current, older }, input, cart).map((contender) => ({
    contender,
    ...checkContender(contender, input, cart),
  }));
  const checked = shareOut(asked, cart, input);
  const usable = checked.flatMap((each) => each.usable ?? []);
  const { chosen, dropped } = combine(usable, cart, input);
  const missed = checked.flatMap(({ contender, usable, failure }): Missed[] => {
    const found = failure ?? dropped.find((each) => each.usable === usable)?.failure;
    if (found === undefined) return [];
    const { promotionId, promotionVersion, source, definition } = contender;
    return [{ rejected: { promotionId, promotionVersion, source, ...found }, definition }];
  });
  return {
    ruleSetVersion,
    ...amountsOf(cart, chosen),
    applied: chosen.map((application) => appliedPromotion(cart, application)),
    rejected: missed.map(({ rejected }) => rejected),
    nearMisses: nearMissesOf(missed),
    bonusPoints: Number(sum(chosen.map(({ given }) => given.points))),
    isProvenOptimal: true,
    ...((input.limits ?? []).length > 0 && { limits: limitsSeen(asked, input) }),
  };
}

function appliedPromotion(cart: ExactCart, { usable, given }: Application): AppliedPromotion {
  const { definition, promotionId, promotionVersion, source } = usable;
  return {
    promotionId,
    promotionRef: definition.ref,
    promotionVersion,
    source,
    class: classOf(definition),
    discountMinor: Number(sum(given.lineOff) + given.shippingOff),
    shares: sharesOf(cart, { usable, given }),
    shippingDiscountMinor: Number(given.shippingOff),
    gifts: given.gifts,
    bonusPoints: Number(given.points),
  };
}

function sharesOf({ lines }: ExactCart, { given }: Application): LineShare[] {
  const shares = lines.map(({ inputIndex }, place) => {
    const amount = given.lineOff[place] ?? 0n;
    const units = amount === 0n ? [] : runsOf(amount, given.sharing[place] ?? 0);
    return { lineIndex: inputIndex, amountMinor: Number(amount), units };
  });
  return shares
    .filter(({ amountMinor }) => amountMinor > 0)
    .sort((one, other) => one.lineIndex - other.lineIndex);
}

function amountsOf({ cart, lines }: ExactCart, chosen: Chosen): Pick<Decision, 'lines' | 'totals'> {
  const decided = lines
    .toSorted((one, other) => one.inputIndex - other.inputIndex)
    .map((line) => {
      const discount = sum(chosen.map(({ given }) => given.lineOff[lines.indexOf(line)] ?? 0n));
      return {
        originalMinor: Number(line.amount),
        discountMinor: Number(discount),
        payableMinor: Number(line.amount - discount),
      };
    });
  const items = sum(lines.map(({ amount }) => amount));
  const itemsOff = sum(chosen.map(({ given }) => sum(given.lineOff)));
  const shippingOff = sum(chosen.map(({ given }) => given.shippingOff));
  const totals = {
    itemsMinor: Number(items),
    shippingMinor: cart.shippingMinor,
    itemsDiscountMinor: Number(itemsOff),
    shippingDiscountMinor: Number(shippingOff),
    payableMinor: Number(items - itemsOff) + Number(BigInt(cart.shippingMinor) - shippingOff),
  };
  return { lines: decided, totals };
}
