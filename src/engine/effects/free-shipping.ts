import type { EffectCompiler } from '../effect-parts.ts';

/** All that is left of shipping off, up to a ceiling. */
export const freeShipping: EffectCompiler<'free_shipping'> = {
  kind: 'free_shipping',
  compile: ({ kind, maxOffMinor = Number.POSITIVE_INFINITY }) => ({
    kind,
    target: 'shipping',
    isSpread: false,
    check: () => undefined,
    apply: (input, outcome) => {
      outcome.shippingOffMinor = Math.min(maxOffMinor, input.shippingLeftMinor);
    },
    offAtSpend: () => undefined,
  }),
};
