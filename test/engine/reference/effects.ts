/** Every kind of effect, applied once. */
import type { Effect, EffectOf, PercentBase, UnitCap } from '../../../src/domain/promotion.ts';
import { applyBundles } from './bundles.ts';
import { applyBuyXGetY } from './buy-x-get-y.ts';
import {
  type Given,
  leftAt,
  leftOfEligible,
  lineAt,
  nothing,
  type Outcome,
  offLines,
  type Turn,
} from './effect-turn.ts';
import { spendOf, unitsOf } from './exact-cart.ts';
import { firstUnits, least, most, shareOf, spread, sum } from './exact-money.ts';
import { applyGiftItems } from './gift-items.ts';
import { applyMultiplier } from './points.ts';
import { checkSpend, checkUnits } from './rule-checks.ts';
import { cappedUnits, countByPlace } from './unit-pick.ts';

/** What an effect takes off and gives when its turn comes. */
export function applyEffect(effect: Effect, turn: Turn): Outcome {
  switch (effect.kind) {
    case 'fixed_amount_off':
    case 'no_threshold_voucher':
      return { given: amountOff(turn, BigInt(effect.amountMinor)) };
    case 'percent_off':
      return { given: percentOff(turn, effect) };
    case 'tiered_off':
      return applyTiers(effect, turn);
    case 'every_amount_off':
      return applyEvery(effect, turn);
    case 'buy_x_get_y':
      return applyBuyXGetY(effect, turn);
    case 'fixed_price':
      return effect.bundleUnits === undefined
        ? { given: unitPrice(turn, effect) }
        : applyBundles(turn, effect.bundleUnits, BigInt(effect.priceMinor), effect.unitCap);
    case 'gift_items':
      return applyGiftItems(effect, turn);
    case 'shipping_off':
      return { given: shippingOff(turn, BigInt(effect.amountMinor)) };
    case 'free_shipping':
      return { given: shippingOff(turn, ceilingOf(effect.maxOffMinor, turn.shippingLeft)) };
    case 'bonus_points':
      return { given: { ...nothing(turn), points: BigInt(effect.points) } };
    case 'points_multiplier':
      return { given: { ...nothing(turn), points: applyMultiplier(effect, turn) } };
  }
}

function ceilingOf(ceiling: number | undefined, otherwise: bigint): bigint {
  return ceiling === undefined ? otherwise : BigInt(ceiling);
}

function shippingOff(turn: Turn, amount: bigint): Given {
  return { ...nothing(turn), shippingOff: least(amount, turn.shippingLeft) };
}

function amountOff(turn: Turn, amount: bigint): Given {
  const weights = turn.eligible.map((place) => leftAt(turn, place));
  const shares = spread(least(amount, sum(weights)), weights);
  return offLines(turn, byPlace(turn, shares), allUnits(turn));
}

function byPlace({ eligible }: Turn, shares: readonly bigint[]): Map<number, bigint> {
  return new Map(eligible.map((place, at) => [place, shares[at] ?? 0n]));
}

function allUnits(turn: Turn): Map<number, number> {
  return new Map(turn.eligible.map((place) => [place, lineAt(turn, place).units]));
}

interface Percentage {
  readonly basisPoints: number;
  readonly base: PercentBase;
  readonly maxOffMinor?: number;
  readonly unitCap?: UnitCap;
}

function percentOff(turn: Turn, { basisPoints, base, maxOffMinor, unitCap }: Percentage): Given {
  const taken = countByPlace(cappedUnits(turn, unitCap));
  const uncapped = turn.eligible.map((place) => {
    const left = leftAt(turn, place);
    const { units, price } = lineAt(turn, place);
    const count = taken.get(place) ?? 0;
    const from = base === 'original' ? price * BigInt(count) : firstUnits(left, units, count);
    return least(shareOf(from, basisPoints), left);
  });
  const total = sum(uncapped);
  const ceiling = ceilingOf(maxOffMinor, total);
  return offLines(turn, byPlace(turn, total > ceiling ? spread(ceiling, uncapped) : uncapped), taken);
}

function applyTiers(effect: EffectOf<'tiered_off'>, turn: Turn): Outcome {
  const { tiers, thresholdKind } = effect;
  const units = unitsOf(turn.cart, turn.eligible);
  const spend = effect.thresholdBasis === 'after' ? leftOfEligible(turn) : spendOf(turn.cart, turn.eligible);
  const measure = thresholdKind === 'spend' ? spend : BigInt(units);
  const reached = tiers.findLast(({ threshold }) => BigInt(threshold) <= measure);
  if (reached === undefined) {
    const first = tiers[0]?.threshold ?? 0;
    const failure =
      thresholdKind === 'spend'
        ? checkSpend('TIER_NOT_REACHED', first, spend)
        : checkUnits('TIER_NOT_REACHED', first, units);
    return { failure: failure ?? { reason: 'TIER_NOT_REACHED' } };
  }
  const { off } = reached;
  return {
    given:
      off.kind === 'amount'
        ? amountOff(turn, BigInt(off.amountMinor))
        : percentOff(turn, { ...effect, basisPoints: off.basisPoints }),
  };
}

function applyEvery(effect: EffectOf<'every_amount_off'>, turn: Turn): Outcome {
  const { everyMinor, amountMinor, maxTimes, thresholdBasis } = effect;
  const spend = thresholdBasis === 'after' ? leftOfEligible(turn) : spendOf(turn.cart, turn.eligible);
  const failure = checkSpend('TIER_NOT_REACHED', everyMinor, spend);
  if (failure !== undefined) return { failure };
  const times = least(spend / BigInt(everyMinor), BigInt(maxTimes));
  return { given: amountOff(turn, times * BigInt(amountMinor)) };
}

/** A price for each unit that is taken; what costs less already stays as it is. */
function unitPrice(turn: Turn, { priceMinor, unitCap }: EffectOf<'fixed_price'>): Given {
  const taken = countByPlace(cappedUnits(turn, unitCap));
  const offs = turn.eligible.map((place) => {
    const count = taken.get(place) ?? 0;
    const value = firstUnits(leftAt(turn, place), lineAt(turn, place).units, count);
    return most(0n, value - BigInt(priceMinor) * BigInt(count));
  });
  return offLines(turn, byPlace(turn, offs), taken);
}
