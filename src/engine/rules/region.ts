import { allowedTexts } from '../allowed-texts.ts';
import type { RuleCompiler } from '../rule-parts.ts';

/** The order goes to one of some regions. */
export const region: RuleCompiler<'region'> = {
  kind: 'region',
  compile({ regions }) {
    const failureOf = allowedTexts(regions, 'region', 'REGION_NOT_ALLOWED');
    return { check: ({ cart }) => failureOf(cart.cart.region) };
  },
};
