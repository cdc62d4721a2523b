import type { EffectCompiler } from '../effect-parts.ts';
import { takeAmount } from './take-amount.ts';
import { notReached, spendSeen } from './threshold.ts';

/** An amount off for each full amount spent, up to a number of times. */
export const everyAmountOff: EffectCompiler<'every_amount_off'> = {
  kind: 'every_amount_off',
  compile: ({ kind, everyMinor, amountMinor, maxTimes, thresholdBasis }) => {
    const offFor = (spendMinor: number): number =>
      Math.min(maxTimes, Math.floor(spendMinor / everyMinor)) * amountMinor;
    return {
      kind,
      target: 'items',
      isSpread: true,
      check: ({ spendMinor }) =>
        spendMinor < everyMinor ? notReached(everyMinor, spendMinor, 'minor') : undefined,
      apply: (input, outcome) => {
        const offMinor = offFor(spendSeen(thresholdBasis, input));
        if (offMinor > 0) takeAmount(offMinor, input, outcome);
      },
      offAtSpend: (spendMinor) => Math.min(offFor(spendMinor), spendMinor),
    };
  },
};
