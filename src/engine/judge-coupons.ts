import type { CandidateSource, Failure } from '../domain/decision.ts';
import type { Given } from './apply.ts';
import { checkContender, judge } from './check/judge.ts';
import type { EvaluationInput } from './evaluation-input.ts';
import { namedContenders } from './gather.ts';
import { occasionOf } from './occasion.ts';
import type { RuleTable } from './rule-table.ts';

/** What a coupon gives alone. Amounts in minor units. */
export interface Benefit {
  readonly savesMinor: number;
  readonly giftUnits: number;
  readonly bonusPoints: number;
}

/** Whether one coupon or code can be used for an order, judged by itself: a failure, or what it gives. */
export interface Verdict extends Partial<Benefit> {
  readonly source: CandidateSource;
  readonly promotionId: string;
  readonly promotionVersion: number;
  /** Why not; absent when it can be used. */
  readonly failure?: Failure;
}

/** The benefit of a candidate that gives something. */
export function benefitOf({ savedMinor, giftUnits, bonusPoints }: Given): Benefit {
  return { savesMinor: savedMinor, giftUnits, bonusPoints };
}

/** A verdict per coupon and code of the input, as if nothing else but it were used: coupons by id, then codes. */
export function judgeCoupons(table: RuleTable, input: EvaluationInput): Verdict[] {
  const occasion = occasionOf(table.vocabulary, input);
  return namedContenders(table, input).map((contender) => {
    const { source, promotionId, promotionVersion } = contender;
    const { given, failure } = judge(checkContender(contender, occasion), occasion.cart);
    const verdict = { source, promotionId, promotionVersion };
    return failure === undefined ? { ...verdict, ...benefitOf(given) } : { ...verdict, failure };
  });
}
