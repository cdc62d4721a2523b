import { compileExpression } from '../cel/compile-expression.ts';
import { type RuleCompiler, UncompilableError } from '../rule-parts.ts';

/** Anything that has no kind of its own, as an expression over cart, user and moment. */
export const cel: RuleCompiler<'cel'> = {
  kind: 'cel',
  compile({ expression }) {
    const { fault, check } = compileExpression(expression);
    if (fault !== undefined) throw new UncompilableError('cel.expression', fault);
    return { check };
  },
};
