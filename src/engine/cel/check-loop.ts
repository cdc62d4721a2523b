import { type Checked, costOf, type Scope, type Visit } from './checked.ts';
import { ExpressionFault } from './expression-fault.ts';
import { MAX_LOOP_DEPTH } from './limits.ts';
import { APPEND, type Expr, GATHERED } from './syntax.ts';
import { describeType, joinTypes, STRING, type ValueType } from './value-types.ts';

type Loop = Extract<Expr['exprKind'], { case: 'comprehensionExpr' }>['value'];

/** Checks a loop (`exists`, `all`, `exists_one`, `map`, `filter`) as the parser writes it out. */
export function checkLoop(loop: Loop, scope: Scope, visit: Visit): Checked {
  const { accuInit, iterRange, loopCondition, loopStep, result } = partsOf(loop);
  if (scope.loops >= MAX_LOOP_DEPTH) {
    throw new ExpressionFault(`has more than ${MAX_LOOP_DEPTH} loops in each other`);
  }
  renameAppend(loopStep);
  const range = visit(iterRange, scope);
  const first = visit(accuInit, scope);
  const inside = innerScope(scope, loop.iterVar, elementType(range.type), first.type);
  const condition = visit(loopCondition, inside);
  const step = visit(loopStep, inside);
  const gathered = gatheredType(first.type, step.type, range.type);
  const last = visit(result, { ...scope, names: new Map([...scope.names, [GATHERED, gathered]]) });
  const round = costOf([condition, step]);
  const rounds = sizeOf(range.type);
  return { type: last.type, cost: costOf([range, first, last], (sizes) => 1 + rounds(sizes) * round(sizes)) };
}

function partsOf(
  loop: Loop,
): Record<'accuInit' | 'iterRange' | 'loopCondition' | 'loopStep' | 'result', Expr> {
  const { accuInit, iterRange, loopCondition, loopStep, result } = loop;
  if (!accuInit || !iterRange || !loopCondition || !loopStep || !result) {
    throw new ExpressionFault('has a loop with an empty part');
  }
  return { accuInit, iterRange, loopCondition, loopStep, result };
}

/** Lets the loop gather in place: `@result + [x]`, perhaps under a condition, is renamed in the tree. */
function renameAppend({ exprKind }: Expr): void {
  if (exprKind.case !== 'callExpr') return;
  const call = exprKind.value;
  if (call.function === '_?_:_') {
    for (const branch of call.args.slice(1)) renameAppend(branch);
    return;
  }
  const [to, added] = call.args;
  const isAppend =
    call.function === '_+_' && to?.exprKind.case === 'identExpr' && to.exprKind.value.name === GATHERED;
  if (isAppend && added?.exprKind.case === 'listExpr') call.function = APPEND;
}

function innerScope({ names, loops }: Scope, element: string, type: ValueType, gathered: ValueType): Scope {
  return { names: new Map([...names, [GATHERED, gathered], [element, type]]), loops: loops + 1 };
}

function elementType(range: ValueType): ValueType {
  if (range.kind === 'list') return range.element;
  if (range.kind === 'map') return STRING;
  throw new ExpressionFault(`loops over ${describeType(range)}, which is no list and no map`);
}

function sizeOf(range: ValueType): (sizes: Parameters<Checked['cost']>[0]) => number {
  return range.kind === 'list' || range.kind === 'map' ? range.size : () => 0;
}

/** What is gathered has at most one element per round. */
function gatheredType(first: ValueType, step: ValueType, range: ValueType): ValueType {
  const type = joinTypes(first, step);
  if (type === undefined) throw new ExpressionFault(`gathers ${describeType(step)} in a loop`);
  return type.kind === 'list' ? { ...type, size: sizeOf(range) } : type;
}
