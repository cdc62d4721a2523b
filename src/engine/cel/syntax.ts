import { parse } from '@bufbuild/cel';
import { ExpressionFault } from './expression-fault.ts';
import { MAX_BRACKET_DEPTH, MAX_EXPRESSION_CHARACTERS } from './limits.ts';

/** A node of an expression's syntax tree, macros expanded. */
export type Expr = ReturnType<typeof parse>['expr'];

/** The name the parser gives to what a loop gathers. It cannot be written in an expression. */
export const GATHERED = '@result';

/** The function that adds one element to what a loop gathers; see `list-functions.ts`. */
export const APPEND = '@append';

/** Parses an expression. Throws {@link ExpressionFault}. */
export function parseExpression(text: string): Expr {
  if ([...text].length > MAX_EXPRESSION_CHARACTERS) {
    throw new ExpressionFault(`has more than ${MAX_EXPRESSION_CHARACTERS} characters`);
  }
  if (bracketDepth(text) > MAX_BRACKET_DEPTH) {
    throw new ExpressionFault(`has more than ${MAX_BRACKET_DEPTH} brackets in each other`);
  }
  try {
    return parse(text).expr;
  } catch (error) {
    throw new ExpressionFault(`does not parse: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Brackets inside texts count too: that only makes the bound stricter. */
function bracketDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if ('([{'.includes(character)) depth += 1;
    else if (')]}'.includes(character)) depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
