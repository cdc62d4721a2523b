import type { CandidateSource, Failure } from '../domain/decision.ts';
import { judge } from './check/judge.ts';
import { occasionOf } from './evaluate-cart.ts';
import type { EvaluationInput } from './evaluation-input.ts';
import { gatherContenders } from './gather.ts';
import type { RuleTable } from './rule-table.ts';
import { applyAlone } from './tally.ts';

/** Whether one coupon or code can be used for an order, judged by itself. */
export interface Verdict {
  readonly source: CandidateSource;
  readonly promotionId: string;
  readonly promotionVersion: number;
  /** Why not; absent when it can be used. */
  readonly failure?: Failure;
  /** What it takes off alone, in minor units; absent when it cannot be used, or when that cannot be told. */
  readonly savesMinor?: number;
}

/** A verdict per coupon and code of the input, as if nothing else but it were used: coupons by id, then codes. */
export function judgeCoupons(table: RuleTable, input: EvaluationInput): Verdict[] {
  const occasion = occasionOf(table, input);
  return gatherContenders(table, input, occasion.cart)
    .filter(({ source }) => source.kind !== 'automatic')
    .map((contender) => {
      const { candidate, failure } = judge(contender, occasion);
      const { source, promotionId, promotionVersion } = contender;
      const verdict = { source, promotionId, promotionVersion };
      if (failure !== undefined) return { ...verdict, failure };
      const { savedMinor: savesMinor } = applyAlone(candidate, occasion.cart);
      return savesMinor === undefined ? verdict : { ...verdict, savesMinor };
    });
}
