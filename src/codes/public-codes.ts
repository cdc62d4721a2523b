import { normalisedCode } from '../engine/normalised-code.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import type { RuleSetEntry } from '../ruleset/rule-set-entry.ts';

/** A rule set, as far as its public codes are asked about. Another version is another object. */
export interface CodeRuleSet {
  entries(): Iterable<Pick<RuleSetEntry, 'state' | 'way' | 'promotion'>>;
}

/** The promotions that public codes open. The index of a rule set is made when the first code is asked about. */
export class PublicCodes {
  private readonly current: () => CodeRuleSet;
  private indexed: CodeRuleSet | undefined;
  private index: ReadonlyMap<string, Promotion> = new Map();

  constructor(current: () => CodeRuleSet) {
    this.current = current;
  }

  /**
   * The promotion with this public code, as typed; undefined when there is none. Of several, an active one goes first, then
   * the one with the higher priority, then the older one.
   */
  promotionOf(code: string): Promotion | undefined {
    const rules = this.current();
    if (rules !== this.indexed) {
      this.index = indexOf(rules);
      this.indexed = rules;
    }
    return this.index.get(normalisedCode(code));
  }
}

function indexOf(rules: CodeRuleSet): ReadonlyMap<string, Promotion> {
  const entries = [...rules.entries()].flatMap((entry) => {
    if (entry.way !== 'code') return [];
    const { state, promotion } = entry;
    const code = publicCodeOf(promotion);
    return code === undefined ? [] : [{ state, promotion, code: normalisedCode(code) }];
  });
  const isActive = ({ state }: { state: string }): number => (state === 'active' ? 1 : 0);
  entries.sort(
    (left, right) =>
      isActive(left) - isActive(right) ||
      left.promotion.priority - right.promotion.priority ||
      right.promotion.ref - left.promotion.ref,
  );
  // Of equal codes the last one stays.
  return new Map(entries.map(({ code, promotion }) => [code, promotion]));
}

/** The public code of a promotion, as it was defined; undefined when it has none. */
export function publicCodeOf({ reach }: Promotion): string | undefined {
  const codes = reach?.way.case === 'code' ? reach.way.value.codes : undefined;
  return codes?.case === 'publicCode' ? codes.value.code : undefined;
}
