import type { RuleCompiler } from '../rule-parts.ts';

/** With what the promotion may be combined; a pair is legal only if both sides allow it. */
export const stackability: RuleCompiler<'stackability'> = {
  kind: 'stackability',
  compile: ({ mode, excludedKinds, exclusiveGroups, choice }) => ({
    stacking: {
      isAlone: mode === 'alone',
      excludedKinds: new Set(excludedKinds),
      exclusiveGroups: new Set(exclusiveGroups),
      isFirstByPriority: choice === 'first_by_priority',
    },
  }),
};
