import { spreadOver, sumAt } from '../../domain/money.ts';
import type { EffectInput, EffectOutcome } from '../effect-parts.ts';

/** Takes an amount off the eligible lines, never more than is left, spread by what is left of each. */
export function takeAmount(amountMinor: number, input: EffectInput, outcome: EffectOutcome): void {
  const leftMinor = sumAt(input.eligible, input.left);
  const offMinor = Math.min(amountMinor, leftMinor);
  spreadOver(offMinor, leftMinor, input.eligible, input.left, outcome.lineOff);
  shareByAllUnits(input, outcome);
  outcome.itemsOffMinor = offMinor;
}

/** Writes that all units of a line share its discount. */
export function shareByAllUnits({ cart, eligible }: EffectInput, { unitsOff }: EffectOutcome): void {
  for (let at = 0; at < eligible.length; at += 1) {
    const place = eligible[at] ?? 0;
    unitsOff[place] = cart.quantities[place] ?? 0;
  }
}
