import type { Failure } from '../../domain/decision.ts';

/** Too few units for the first group or bundle; the shortfall is told where any further eligible units would do. */
export function groupNotComplete(needed: number, seen: number, isAnyUnitRight: boolean): Failure {
  const failure: Failure = { reason: 'GROUP_NOT_COMPLETE', needed, seen };
  return isAnyUnitRight ? { ...failure, shortfall: { kind: 'units', missing: needed - seen } } : failure;
}
