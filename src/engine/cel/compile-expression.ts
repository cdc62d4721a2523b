import { isCelError, plan } from '@bufbuild/cel';
import type { UserFacts } from '../../domain/cart.ts';
import type { Failure } from '../../domain/decision.ts';
import type { PreparedCart } from '../prepared-cart.ts';
import type { RuleCheck, RuleContext } from '../rule-parts.ts';
import { checkExpression } from './check-expression.ts';
import { ENVIRONMENT } from './environment.ts';
import { ExpressionFault } from './expression-fault.ts';
import { MAX_STEPS } from './limits.ts';
import { parseExpression } from './syntax.ts';
import { BOOL, describeType, type Estimate, isSameType } from './value-types.ts';
import { type Variables, variablesOf } from './variables.ts';

/** An expression ready to run, or why it cannot be used. */
export type CompiledExpression =
  | { readonly check: RuleCheck; readonly fault?: undefined }
  | { readonly check?: undefined; readonly fault: string };

/** Parses, checks and plans an expression. It must be a bool, or a single value that may turn out to be one. */
export function compileExpression(text: string): CompiledExpression {
  try {
    const expr = parseExpression(text);
    const { type, cost } = checkExpression(expr);
    if (!isSameType(type, BOOL)) {
      throw new ExpressionFault(`is a ${describeType(type)}; it must be a bool`);
    }
    return { check: checkOf(plan(ENVIRONMENT, expr), cost) };
  } catch (error) {
    if (error instanceof ExpressionFault) return { fault: error.message };
    throw error;
  }
}

type Plan = ReturnType<typeof plan>;

function checkOf(run: Plan, cost: Estimate): RuleCheck {
  return (context) => {
    const { values, sizes, missing } = variablesFor(context);
    const steps = cost(sizes);
    if (steps > MAX_STEPS) return failed(`it would take ${steps} steps on this cart; at most ${MAX_STEPS}`);
    const result = run({ ...values });
    if (result === true) return undefined;
    if (result === false) return { reason: 'EXPRESSION_FALSE' };
    return isCelError(result) ? explain(result.message, missing) : failed('the result is no bool');
  };
}

function failed(reason: string): Failure {
  return { reason: 'EXPRESSION_FAILED', seen: reason };
}

/**
 * What goes wrong with values, in words of our own: the library's may quote the cart or come from the JavaScript engine, and an
 * answer must be the same for ever.
 */
const REASONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/divide by zero|modulus by zero/, 'a division by zero'],
  [/overflow|out of range/, 'a number or time out of range'],
  [/out of bounds/, 'a place that the list does not have'],
  [/field not found/, 'a key that the map does not have'],
  [/no matching overload|type mismatch/, 'a value of another type than the expression needs'],
];

/** The library tells a missing fact like any missing key; it is one when the expression asked for that fact. */
function explain(message: string, missing: ReadonlyMap<string, string>): Failure {
  const name = /field not found: (.+)$/.exec(message)?.[1];
  const fact = name === undefined ? undefined : missing.get(name);
  if (fact !== undefined) return { reason: 'FACT_MISSING', needed: fact };
  const known = REASONS.find(([pattern]) => pattern.test(message));
  return failed(known?.[1] ?? 'a value that cannot be converted');
}

interface KnownVariables {
  readonly facts: UserFacts;
  readonly atMs: number;
  readonly variables: Variables;
}

/** One evaluation asks many expressions about one cart. */
const known = new WeakMap<PreparedCart, KnownVariables>();

function variablesFor({ cart, facts, atMs }: RuleContext): Variables {
  const before = known.get(cart);
  if (before?.facts === facts && before.atMs === atMs) return before.variables;
  const variables = variablesOf(cart, facts, atMs);
  known.set(cart, { facts, atMs, variables });
  return variables;
}
