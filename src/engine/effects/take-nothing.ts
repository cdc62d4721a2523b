import type { EffectInput, EffectOutcome } from '../effect-parts.ts';

/** Writes that no eligible line is discounted. */
export function takeNothing({ eligible }: EffectInput, { lineOff }: EffectOutcome): void {
  for (let at = 0; at < eligible.length; at += 1) lineOff[eligible[at] ?? 0] = 0;
}
