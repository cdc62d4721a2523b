import { checkCall } from './check-call.ts';
import { checkLoop } from './check-loop.ts';
import type { Checked, Scope, Visit } from './checked.ts';
import { costOf } from './checked.ts';
import { ExpressionFault } from './expression-fault.ts';
import { MAX_NODES } from './limits.ts';
import type { Expr } from './syntax.ts';
import { BOOL, describeType, INT, joinTypes, NOTHING, STRING, type ValueType } from './value-types.ts';
import { VARIABLE_TYPES } from './variables.ts';

/**
 * Finds the type of an expression and what it costs, which the library cannot: a name or field that does not exist, a
 * comparison of a text with a number, a result that is no truth value and a loop in a loop in a loop are all found here.
 * Throws {@link ExpressionFault}.
 */
export function checkExpression(expr: Expr): Checked {
  let nodes = 0;
  const visit: Visit = (node, scope) => {
    nodes += 1;
    if (nodes > MAX_NODES) throw new ExpressionFault(`is too long: it has more than ${MAX_NODES} parts`);
    return checkNode(node, scope, visit);
  };
  return visit(expr, { names: VARIABLE_TYPES, loops: 0 });
}

function checkNode({ exprKind: node }: Expr, scope: Scope, visit: Visit): Checked {
  switch (node.case) {
    case 'constExpr':
      return single(constantType(node.value.constantKind.case));
    case 'identExpr':
      return single(nameType(node.value.name, scope));
    case 'selectExpr':
      return checkSelect(node.value, scope, visit);
    case 'callExpr':
      return checkCall(node.value, scope, visit);
    case 'listExpr':
      return checkList(node.value.elements, scope, visit);
    case 'structExpr':
      return checkStruct(node.value, scope, visit);
    case 'comprehensionExpr':
      return checkLoop(node.value, scope, visit);
    case undefined:
      throw new ExpressionFault('has an empty part');
  }
}

type NodeOf<Case extends Expr['exprKind']['case']> = Extract<Expr['exprKind'], { case: Case }>['value'];

function single(type: ValueType): Checked {
  return { type, cost: () => 1 };
}

const CONSTANT_TYPES: Readonly<Record<string, ValueType>> = {
  boolValue: BOOL,
  int64Value: INT,
  uint64Value: { kind: 'scalar', name: 'uint' },
  doubleValue: { kind: 'scalar', name: 'double' },
  stringValue: STRING,
  nullValue: { kind: 'scalar', name: 'null_type' },
};

function constantType(constant: string | undefined): ValueType {
  const type = CONSTANT_TYPES[constant ?? ''];
  if (type === undefined) throw new ExpressionFault('has a constant of a sort that cannot be used (bytes)');
  return type;
}

function nameType(name: string, { names }: Scope): ValueType {
  const type = names.get(name);
  if (type !== undefined) return type;
  throw new ExpressionFault(
    `has an unknown name: ${name}; there are ${[...VARIABLE_TYPES.keys()].join(', ')}`,
  );
}

function checkSelect(
  { operand, field, testOnly }: NodeOf<'selectExpr'>,
  scope: Scope,
  visit: Visit,
): Checked {
  if (operand === undefined) throw new ExpressionFault('has an empty part');
  const of = visit(operand, scope);
  const type = fieldType(of.type, field);
  return { type: testOnly ? BOOL : type, cost: costOf([of]) };
}

function fieldType(of: ValueType, field: string): ValueType {
  if (of.kind === 'map') return of.value;
  if (of.kind !== 'record') throw new ExpressionFault(`asks a ${describeType(of)} for a field: ${field}`);
  const type = of.fields.get(field);
  if (type !== undefined) return type;
  throw new ExpressionFault(
    `asks the ${of.name} for a field it does not have: ${field}; there are ${[...of.fields.keys()].join(', ')}`,
  );
}

function checkList(elements: readonly Expr[], scope: Scope, visit: Visit): Checked {
  const parts = elements.map((element) => visit(element, scope));
  const type: ValueType = { kind: 'list', element: commonType(parts), size: () => elements.length };
  return { type, cost: costOf(parts) };
}

function checkStruct({ messageName, entries }: NodeOf<'structExpr'>, scope: Scope, visit: Visit): Checked {
  if (messageName !== '') throw new ExpressionFault(`makes a message, which it cannot: ${messageName}`);
  const keys = entries.map(({ keyKind }) => {
    if (keyKind.case !== 'mapKey') throw new ExpressionFault('has a map without keys');
    return visit(keyKind.value, scope);
  });
  if (keys.some(({ type }) => type !== STRING)) throw new ExpressionFault('has a map key that is no string');
  const values = entries.flatMap(({ value }) => (value === undefined ? [] : [visit(value, scope)]));
  const type: ValueType = { kind: 'map', value: commonType(values), size: () => entries.length };
  return { type, cost: costOf([...keys, ...values]) };
}

function commonType(parts: readonly Checked[]): ValueType {
  return parts.reduce<ValueType>((common, { type }) => {
    const joined = joinTypes(common, type);
    if (joined !== undefined) return joined;
    throw new ExpressionFault(`puts ${describeType(common)} and ${describeType(type)} into one collection`);
  }, NOTHING);
}
