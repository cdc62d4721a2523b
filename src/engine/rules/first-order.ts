import type { RuleCompiler } from '../rule-parts.ts';

/** The user has completed no order yet. */
export const firstOrder: RuleCompiler<'first_order'> = {
  kind: 'first_order',
  compile: () => ({
    check({ facts: { ordersCompleted } }) {
      if (ordersCompleted === 0) return undefined;
      if (ordersCompleted === undefined) return { reason: 'FACT_MISSING', needed: 'orders_completed' };
      return { reason: 'NOT_FIRST_ORDER', needed: 0, seen: ordersCompleted };
    },
  }),
};
