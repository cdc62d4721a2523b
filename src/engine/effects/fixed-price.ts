import { firstUnitsValue, sumAt } from '../../domain/money.ts';
import type { EffectOf } from '../../domain/promotion.ts';
import type { CompiledEffect, EffectCompiler, EffectInput, EffectOutcome } from '../effect-parts.ts';
import { Bundles, planBundles } from './bundles.ts';
import { groupNotComplete } from './group-not-complete.ts';
import { PerCart } from './per-cart.ts';
import { pickUnits, quantityOf, type TakenUnits } from './pick-units.ts';

/** A price for each unit, or for a bundle of units. It never raises what a unit costs. */
export const fixedPrice: EffectCompiler<'fixed_price'> = {
  kind: 'fixed_price',
  compile: (effect) =>
    effect.bundleUnits === undefined ? pricePerUnit(effect) : pricePerBundle(effect, effect.bundleUnits),
};

function pricePerUnit({ kind, priceMinor, unitCap }: EffectOf<'fixed_price'>): CompiledEffect {
  const taken = new PerCart((cart, eligible) => pickUnits(cart, eligible, unitCap));
  return {
    kind,
    target: 'items',
    isSpread: false,
    check: () => undefined,
    apply: (input, outcome) => takeDownTo(priceMinor, taken.of(input), input, outcome),
    offAtSpend: () => undefined,
  };
}

function takeDownTo(
  priceMinor: number,
  taken: TakenUnits,
  { cart, eligible, left }: EffectInput,
  outcome: EffectOutcome,
): void {
  for (let at = 0; at < eligible.length; at += 1) {
    const place = eligible[at] ?? 0;
    const units = taken[at] ?? 0;
    const value = units === 0 ? 0 : firstUnitsValue(left[place] ?? 0, quantityOf(cart, place), units);
    const off = Math.max(0, value - units * priceMinor);
    outcome.lineOff[place] = off;
    outcome.unitsOff[place] = units;
  }
  outcome.itemsOffMinor = sumAt(eligible, outcome.lineOff);
}

function pricePerBundle(
  { kind, priceMinor, unitCap }: EffectOf<'fixed_price'>,
  bundleUnits: number,
): CompiledEffect {
  const plans = new PerCart((cart, eligible) => planBundles(unitCap, cart, eligible));
  const bundles = new Bundles(bundleUnits, priceMinor);
  return {
    kind,
    target: 'items',
    isSpread: true,
    check: (input) => {
      const { units } = plans.of(input);
      return units < bundleUnits ? groupNotComplete(bundleUnits, units, true) : undefined;
    },
    apply: (input, outcome) => bundles.take(plans.of(input), input, outcome),
    offAtSpend: () => undefined,
  };
}
