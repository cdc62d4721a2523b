import type { EffectCompiler } from '../effect-parts.ts';

/** An amount off shipping, at most what is left of it. */
export const shippingOff: EffectCompiler<'shipping_off'> = {
  kind: 'shipping_off',
  compile: ({ kind, amountMinor }) => ({
    kind,
    target: 'shipping',
    isSpread: false,
    check: () => undefined,
    apply: (input, outcome) => {
      outcome.shippingOffMinor = Math.min(amountMinor, input.shippingLeftMinor);
    },
    offAtSpend: () => undefined,
  }),
};
