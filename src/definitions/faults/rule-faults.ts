import { compileExpression } from '../../engine/cel/compile-expression.ts';
import { MAX_EXPRESSION_CHARACTERS } from '../../engine/cel/limits.ts';
import { isTimeZone } from '../../engine/zoned-clock.ts';
import type { CelRule, Rule } from '../../gen/hongbao/v1/rule_pb.ts';
import type { FaultFinder, Report } from './report.ts';
import { fieldNameOfRule, rulePath } from './rule-path.ts';

type RuleKind = NonNullable<Rule['kind']['case']>;

/** Kinds of which a second one would contradict the first or be idle beside it. */
const AT_MOST_ONE: ReadonlySet<RuleKind> = new Set<RuleKind>([
  'minimumSpend',
  'itemDiscountScope',
  'spendForGift',
  'quantityThreshold',
  'firstOrder',
  'nthOrder',
  'saleItems',
  'stackability',
]);

/** Contradictions inside single rules, and between rules of one kind. */
export const ruleFaults: FaultFinder = ({ rules }, report) => {
  const seen = new Set<RuleKind>();
  for (const [index, rule] of rules.entries()) {
    const kind = rule.kind.case;
    if (kind === undefined) continue;
    if (seen.has(kind) && AT_MOST_ONE.has(kind)) {
      report(rulePath(index, kind), `a promotion has at most one ${fieldNameOfRule(kind)} rule`);
    }
    seen.add(kind);
    singleRuleFaults(rule, rulePath(index, kind), report);
  }
};

function singleRuleFaults({ kind }: Rule, path: string, report: Report): void {
  switch (kind.case) {
    case 'timeSlot':
      if (!isTimeZone(kind.value.timeZone)) report(`${path}.time_zone`, 'is not a known IANA time zone');
      return;
    case 'cel':
      expressionFaults(kind.value, path, report);
      return;
    case 'minimumSpend':
    case 'itemEligibility':
    case 'exclusion':
    case 'itemDiscountScope':
    case 'conditionalGiftItem':
    case 'spendForGift':
    case 'quantityThreshold':
    case 'firstOrder':
    case 'nthOrder':
    case 'channel':
    case 'region':
    case 'paymentMethod':
    case 'customAttribute':
    case 'saleItems':
    case 'stackability':
    case undefined:
      return;
  }
}

/** Found now, not when a customer pays: an expression that does not parse, is no condition, or costs too much. */
function expressionFaults({ expression }: CelRule, path: string, report: Report): void {
  if (expression === '' || [...expression].length > MAX_EXPRESSION_CHARACTERS) return;
  const { fault } = compileExpression(expression);
  if (fault !== undefined) report(`${path}.expression`, fault);
}
