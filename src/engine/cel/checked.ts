import type { Expr } from './syntax.ts';
import type { Estimate, ValueType } from './value-types.ts';

/** What is known of an expression before it runs. */
export interface Checked {
  readonly type: ValueType;
  /** Steps it takes at most: about one per node and round of a loop, or element compared. */
  readonly cost: Estimate;
}

/** The names that can be used at some place, and the loops around it. */
export interface Scope {
  readonly names: ReadonlyMap<string, ValueType>;
  readonly loops: number;
}

/** Checks an expression at some place. Throws `ExpressionFault`. */
export type Visit = (expr: Expr, scope: Scope) => Checked;

/** One step, and those of the parts. */
export function costOf(parts: readonly Checked[], own: Estimate = () => 1): Estimate {
  return (sizes) => parts.reduce((sum, { cost }) => sum + cost(sizes), own(sizes));
}

/** Steps it takes to go through all of a value, as a comparison does. */
export function weightOf(type: ValueType): Estimate {
  switch (type.kind) {
    case 'list': {
      const element = weightOf(type.element);
      return (sizes) => 1 + type.size(sizes) * element(sizes);
    }
    case 'map':
      return (sizes) => 1 + type.size(sizes);
    case 'record': {
      const fields = [...type.fields.values()].map(weightOf);
      return (sizes) => fields.reduce((sum, weight) => sum + weight(sizes), 1);
    }
    case 'scalar':
    case 'dyn':
    case 'nothing':
      return () => 1;
  }
}
