/** Why an expression is refused, as a phrase about it: "does not parse: …". */
export class ExpressionFault extends Error {
  override readonly name = 'ExpressionFault';
}
