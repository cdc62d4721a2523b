import { fellShort } from '../fell-short.ts';
import type { RuleCompiler } from '../rule-parts.ts';

/** The eligible lines have at least a number of units. */
export const quantityThreshold: RuleCompiler<'quantity_threshold'> = {
  kind: 'quantity_threshold',
  compile: ({ minQuantity }) => ({
    check({ units }) {
      if (units >= minQuantity) return undefined;
      return fellShort('QUANTITY_NOT_MET', 'units', minQuantity, units);
    },
  }),
};
