import { type Rule, RuleSchema } from '../../gen/hongbao/v1/rule_pb.ts';

/** The contract's name of a kind of rule: `minimum_spend`. */
export function fieldNameOfRule(kind: NonNullable<Rule['kind']['case']>): string {
  return RuleSchema.field[kind].name;
}

/** The path of a rule inside its promotion: `rules[2].minimum_spend`. */
export function rulePath(index: number, kind: NonNullable<Rule['kind']['case']>): string {
  return `rules[${index}].${fieldNameOfRule(kind)}`;
}
