import type { CelFunc } from '@bufbuild/cel';
import { ENVIRONMENT } from './environment.ts';
import { ExpressionFault } from './expression-fault.ts';
import { TIME_METHODS } from './time-functions.ts';
import {
  DYN,
  describeType,
  isSameType,
  joinTypes,
  NOTHING,
  type ScalarName,
  type ValueType,
} from './value-types.ts';

/**
 * The functions an expression may call, beside the operators. `matches` is not among them: what a pattern costs cannot be told
 * from its length, and `startsWith`, `endsWith`, `contains` and lists serve.
 */
const FUNCTIONS: ReadonlySet<string> = new Set([
  ...['size', 'contains', 'startsWith', 'endsWith', 'sum'],
  ...['int', 'uint', 'double', 'string', 'bool', 'timestamp', 'duration'],
  ...TIME_METHODS,
]);

const OPERATORS: ReadonlySet<string> = new Set([
  ...['!_', '-_', '_+_', '_-_', '_*_', '_/_', '_%_'],
  ...['_<_', '_<=_', '_>_', '_>=_'],
]);

type LibraryType = CelFunc['result'];

/** The type of a call's result. Throws {@link ExpressionFault} when there is no such function for these types. */
export function resultOf(name: string, target: ValueType | undefined, args: readonly ValueType[]): ValueType {
  if (!OPERATORS.has(name) && !FUNCTIONS.has(name)) {
    throw new ExpressionFault(`calls an unknown function: ${name}; there are ${[...FUNCTIONS].join(', ')}`);
  }
  const fitting = [...(ENVIRONMENT.funcs.find(name) ?? [])].filter((overload) =>
    fits(overload, target, args),
  );
  if (fitting.length > 0) return commonResult(fitting);
  const given = [...(target === undefined ? [] : [target]), ...args].map(describeType).join(', ');
  throw new ExpressionFault(`uses ${name.replaceAll('_', '') || name} on ${given}`);
}

function fits(overload: CelFunc, target: ValueType | undefined, args: readonly ValueType[]): boolean {
  if (overload.arguments.length !== args.length) return false;
  const isTargetFit =
    target === undefined || overload.target === undefined
      ? target === overload.target
      : accepts(overload.target, target);
  return isTargetFit && args.every((type, at) => accepts(overload.arguments[at], type));
}

function accepts(wanted: LibraryType | undefined, given: ValueType): boolean {
  if (wanted === undefined) return false;
  if (given.kind === 'nothing') return true;
  if (wanted.kind === 'list' || wanted.kind === 'map') return wanted.kind === given.kind;
  const type = singleType(wanted.name);
  return type !== undefined && isSameType(type, given);
}

/** Which of several overloads runs is known only with the values, when an argument is `dyn`. */
function commonResult(overloads: readonly CelFunc[]): ValueType {
  return overloads.reduce<ValueType>((common, { result }) => {
    const joined = joinTypes(common, singleType(result.name) ?? DYN);
    return joined ?? DYN;
  }, NOTHING);
}

const SCALAR_NAMES: readonly ScalarName[] = [
  ...(['bool', 'int', 'uint', 'double', 'string', 'null_type'] as const),
  ...(['google.protobuf.Timestamp', 'google.protobuf.Duration'] as const),
];

function singleType(name: string): ValueType | undefined {
  if (name === 'dyn') return DYN;
  const known = SCALAR_NAMES.find((scalar) => scalar === name);
  return known && { kind: 'scalar', name: known };
}
