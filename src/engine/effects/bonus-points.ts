import type { EffectCompiler } from '../effect-parts.ts';

/** A fixed number of points. It takes no money off. */
export const bonusPoints: EffectCompiler<'bonus_points'> = {
  kind: 'bonus_points',
  compile: ({ kind, points }) => ({
    kind,
    target: 'benefit',
    isSpread: false,
    check: () => undefined,
    apply: (_, outcome) => {
      outcome.bonusPoints = points;
    },
    offAtSpend: () => 0,
  }),
};
