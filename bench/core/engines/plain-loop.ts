/** What one would write first: a closure per promotion, made once, all of them called for every cart. No index. */
import type { EvaluationInput } from '../../../src/engine/evaluation-input.ts';
import { type CartFacts, cartFacts } from '../cart-facts.ts';
import { type Condition, conditionsOf } from '../conditions.ts';
import type { EngineLoader } from './engine.ts';

/** Facts with sets, which answer a membership at once. Made before the clock starts, as for every engine but ours. */
interface LoopFacts extends Omit<CartFacts, 'tags' | 'keys' | 'spendByKey'> {
  readonly tags: ReadonlySet<string>;
  readonly spendByKey: ReadonlyMap<string, number>;
}

type Check = (facts: LoopFacts) => boolean;

/** Loads the loop. */
export const loadPlainLoop: EngineLoader = (promotions) => {
  const rules = promotions.map((promotion) => {
    const { promotionId, conditions } = conditionsOf(promotion);
    return { promotionId, matches: allOf(conditions.map(compile)) };
  });
  return {
    prepare: (input) => {
      const facts = loopFacts(input);
      return {
        run: () => {
          const matching: string[] = [];
          for (const rule of rules) if (rule.matches(facts)) matching.push(rule.promotionId);
          return matching;
        },
        matchesOf: (answer) => (Array.isArray(answer) ? answer.map(String).toSorted() : []),
      };
    },
  };
};

function loopFacts(input: EvaluationInput): LoopFacts {
  const { tags, spendByKey, keys: _, ...rest } = cartFacts(input);
  return { ...rest, tags: new Set(tags), spendByKey: new Map(Object.entries(spendByKey)) };
}

/** Most promotions have one or two conditions; a call per condition would cost more than the conditions. */
function allOf(checks: readonly Check[]): Check {
  const [first, second, ...others] = checks;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (others.length === 0) return (facts) => first(facts) && second(facts);
  return (facts) => checks.every((check) => check(facts));
}

function compile(condition: Condition): Check {
  switch (condition.kind) {
    case 'window': {
      const { startsAtMs = Number.NEGATIVE_INFINITY, endsAtMs = Number.POSITIVE_INFINITY } = condition;
      return ({ atMs }) => atMs >= startsAtMs && atMs <= endsAtMs;
    }
    case 'tags': {
      const { anyOf } = condition;
      return ({ tags }) => anyOf.some((tag) => tags.has(tag));
    }
    case 'channel': {
      const { anyOf } = condition;
      return ({ channel }) => anyOf.includes(channel);
    }
    case 'present': {
      const { anyOf } = condition;
      return ({ spendByKey }) => anyOf.some((key) => spendByKey.has(key));
    }
    case 'spend': {
      const { amountMinor, key } = condition;
      if (key === undefined) return ({ subtotalMinor }) => subtotalMinor >= amountMinor;
      return ({ spendByKey }) => (spendByKey.get(key) ?? 0) >= amountMinor;
    }
  }
}
