import type { Failure, RejectionReason } from '../domain/decision.ts';

/**
 * The failure of having too little, in minor units or in units, with what is missing: a larger cart would do. `seen` is less
 * than `needed`.
 */
export function fellShort(
  reason: RejectionReason,
  kind: 'minor' | 'units',
  needed: number,
  seen: number,
): Failure {
  return { reason, needed, seen, shortfall: { kind, missing: needed - seen } };
}
