import { isTimeZone } from '../zoned-clock.ts';
import { type Checked, costOf, type Scope, type Visit, weightOf } from './checked.ts';
import { ExpressionFault } from './expression-fault.ts';
import { resultOf } from './overloads.ts';
import { APPEND, type Expr } from './syntax.ts';
import { TIME_METHODS } from './time-functions.ts';
import {
  BOOL,
  DYN,
  describeType,
  type Estimate,
  INT,
  isSameType,
  joinTypes,
  type ValueType,
} from './value-types.ts';

type Call = Extract<Expr['exprKind'], { case: 'callExpr' }>['value'];

/** Checks one call of a function, method or operator. */
export function checkCall(call: Call, scope: Scope, visit: Visit): Checked {
  const target = call.target && visit(call.target, scope);
  const args = call.args.map((argument) => visit(argument, scope));
  if (TIME_METHODS.has(call.function)) requireLiteralZone(call);
  const parts = target === undefined ? args : [target, ...args];
  const own = OPERATORS.get(call.function);
  if (own === undefined || target !== undefined) {
    const types = args.map(({ type }) => type);
    const type = resultOf(call.function, target?.type, types);
    return {
      type,
      cost: costOf(parts, target && call.function === 'sum' ? sumCost(target.type) : undefined),
    };
  }
  const [one = NOT_GIVEN, other = NOT_GIVEN, third = NOT_GIVEN] = args;
  return own(one, other, third);
}

/** The library's lists are of anything, so it cannot tell what may be summed. */
function sumCost(list: ValueType): Estimate {
  if (list.kind === 'list' && isSameType(list.element, INT)) return weightOf(list);
  throw new ExpressionFault(`sums up a ${describeType(list)}`);
}

const NOT_GIVEN: Checked = { type: DYN, cost: () => 0 };

type Operator = (one: Checked, other: Checked, third: Checked) => Checked;

/** Operators whose types the library's list of functions does not tell. */
const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    '_&&_': checkLogical,
    '_||_': checkLogical,
    '@not_strictly_false': (one) => ({ type: BOOL, cost: costOf([one]) }),
    '_?_:_': checkConditional,
    '_[_]': checkIndex,
    '_==_': checkEquality,
    '_!=_': checkEquality,
    '@in': checkMembership,
    '_+_': checkSum,
    [APPEND]: checkSum,
  }),
);

/** `a && b`, `a || b`; the parser makes pairs. */
function checkLogical(one: Checked, other: Checked): Checked {
  for (const { type } of [one, other]) requireBool(type);
  return { type: BOOL, cost: costOf([one, other]) };
}

function requireBool(type: ValueType): void {
  if (!isSameType(type, BOOL)) throw new ExpressionFault(`needs a bool where it has a ${describeType(type)}`);
}

function checkConditional(condition: Checked, one: Checked, other: Checked): Checked {
  requireBool(condition.type);
  const type = joinTypes(one.type, other.type);
  if (type !== undefined) return { type, cost: costOf([condition, one, other]) };
  throw new ExpressionFault(`is either ${describeType(one.type)} or ${describeType(other.type)}`);
}

function checkIndex(of: Checked, index: Checked): Checked {
  const cost = costOf([of, index]);
  if (of.type.kind === 'list' && isScalar(index.type, 'int')) return { type: of.type.element, cost };
  if (of.type.kind === 'map' && isScalar(index.type, 'string')) return { type: of.type.value, cost };
  throw new ExpressionFault(`takes a ${describeType(of.type)} by a ${describeType(index.type)} in brackets`);
}

function isScalar(type: ValueType, name: string): boolean {
  return type.kind === 'dyn' || (type.kind === 'scalar' && type.name === name);
}

const NUMBERS = new Set(['int', 'uint', 'double']);

function checkEquality(one: Checked, other: Checked): Checked {
  const areNumbers = [one, other].every(({ type }) => type.kind === 'scalar' && NUMBERS.has(type.name));
  if (!areNumbers && !isSameType(one.type, other.type)) {
    throw new ExpressionFault(`compares ${describeType(one.type)} with ${describeType(other.type)}`);
  }
  return { type: BOOL, cost: costOf([one, other], weightOf(one.type)) };
}

function checkMembership(one: Checked, collection: Checked): Checked {
  const { type } = collection;
  const isKey = type.kind === 'map' && isScalar(one.type, 'string');
  if (!isKey && !(type.kind === 'list' && isSameType(type.element, one.type))) {
    throw new ExpressionFault(`looks for ${describeType(one.type)} in ${describeType(type)}`);
  }
  return { type: BOOL, cost: costOf([one, collection], isKey ? undefined : weightOf(type)) };
}

/** Lists are joined; everything else is the library's business. */
function checkSum(one: Checked, other: Checked): Checked {
  const cost = costOf([one, other]);
  if (one.type.kind !== 'list' || other.type.kind !== 'list') {
    return { type: resultOf('_+_', undefined, [one.type, other.type]), cost };
  }
  const [left, right] = [one.type.size, other.type.size];
  const element = joinTypes(one.type.element, other.type.element);
  if (element !== undefined) {
    return { type: { kind: 'list', element, size: (sizes) => left(sizes) + right(sizes) }, cost };
  }
  throw new ExpressionFault(`joins ${describeType(one.type)} and ${describeType(other.type)}`);
}

/** The zone must be known when the promotion is saved: an unknown one would fail every evaluation. */
function requireLiteralZone({ function: name, args: [zone] }: Call): void {
  if (zone === undefined) return;
  const constant = zone.exprKind.case === 'constExpr' ? zone.exprKind.value.constantKind : undefined;
  if (constant?.case !== 'stringValue') throw new ExpressionFault(`needs a literal time zone in ${name}()`);
  if (!isTimeZone(constant.value)) {
    throw new ExpressionFault(`has an unknown IANA time zone in ${name}(): ${constant.value}`);
  }
}
