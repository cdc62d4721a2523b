import { firstUnitsValue, roundHalfUpShare, spreadOver, sumAt } from '../../domain/money.ts';
import type { PercentBase } from '../../domain/promotion.ts';
import type { EffectInput, EffectOutcome } from '../effect-parts.ts';
import { quantityOf, type TakenUnits } from './pick-units.ts';

/** A percentage with its ceiling. */
export interface PercentTerms {
  readonly basisPoints: number;
  /** `Infinity` without a ceiling. */
  readonly maxOffMinor: number;
  readonly base: PercentBase;
}

/** Takes a percentage off each eligible line; over the ceiling, the ceiling is spread by what each line would have got. */
export function takePercent(terms: PercentTerms, input: EffectInput, outcome: EffectOutcome): void {
  const { eligible, left, cart } = input;
  const bases = terms.base === 'original' ? cart.amounts : left;
  for (let at = 0; at < eligible.length; at += 1) {
    const place = eligible[at] ?? 0;
    const offMinor = roundHalfUpShare(bases[place] ?? 0, terms.basisPoints);
    outcome.lineOff[place] = Math.min(offMinor, left[place] ?? 0);
    outcome.unitsOff[place] = cart.quantities[place] ?? 0;
  }
  limitSum(terms.maxOffMinor, input, outcome);
}

/** {@link takePercent} of only some units of each line. */
export function takePercentOfUnits(
  terms: PercentTerms,
  taken: TakenUnits,
  input: EffectInput,
  outcome: EffectOutcome,
): void {
  const { eligible, left } = input;
  for (let at = 0; at < eligible.length; at += 1) {
    const place = eligible[at] ?? 0;
    const units = taken[at] ?? 0;
    const baseMinor = baseOfUnits(terms.base, input, place, units);
    const off = Math.min(roundHalfUpShare(baseMinor, terms.basisPoints), left[place] ?? 0);
    outcome.lineOff[place] = off;
    outcome.unitsOff[place] = units;
  }
  limitSum(terms.maxOffMinor, input, outcome);
}

function baseOfUnits(base: PercentBase, { cart, left }: EffectInput, place: number, units: number): number {
  if (units === 0) return 0;
  if (base === 'original') return units * (cart.lines[place]?.unitPriceMinor ?? 0);
  return firstUnitsValue(left[place] ?? 0, quantityOf(cart, place), units);
}

function limitSum(maxOffMinor: number, { eligible }: EffectInput, outcome: EffectOutcome): void {
  const sum = sumAt(eligible, outcome.lineOff);
  if (sum > maxOffMinor) spreadOver(maxOffMinor, sum, eligible, outcome.lineOff, outcome.lineOff);
  outcome.itemsOffMinor = Math.min(sum, maxOffMinor);
}
