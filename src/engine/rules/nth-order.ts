import type { RuleCompiler } from '../rule-parts.ts';

/** The order being placed is the user's nth, counted from 1 over completed orders; on request every nth. */
export const nthOrder: RuleCompiler<'nth_order'> = {
  kind: 'nth_order',
  compile: ({ nth, repeats }) => ({
    check({ facts: { ordersCompleted } }) {
      if (ordersCompleted === undefined) return { reason: 'FACT_MISSING', needed: 'orders_completed' };
      const order = ordersCompleted + 1;
      if (repeats ? order % nth === 0 : order === nth) return undefined;
      return { reason: 'NOT_NTH_ORDER', needed: nth, seen: order };
    },
  }),
};
