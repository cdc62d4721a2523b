import type { Failure } from '../../domain/decision.ts';
import { fellShort } from '../fell-short.ts';

/** Too few units for the first group or bundle; the shortfall is told where any further eligible units would do. */
export function groupNotComplete(needed: number, seen: number, isAnyUnitRight: boolean): Failure {
  return isAnyUnitRight
    ? fellShort('GROUP_NOT_COMPLETE', 'units', needed, seen)
    : { reason: 'GROUP_NOT_COMPLETE', needed, seen };
}
