/**
 * json-rules-engine with one rule per promotion. Facts are flat, one per key of the cart, because its paths into objects cost more
 * than the comparison; a missing fact is allowed and simply fails. Lists are compared by an operator of ours in one condition:
 * its own way, a condition per item of the list, takes three times as long.
 */
import { type ConditionProperties, Engine, type EngineResult } from 'json-rules-engine';
import { type CartFacts, cartFacts } from '../cart-facts.ts';
import { type Condition, conditionsOf } from '../conditions.ts';
import type { EngineLoader } from './engine.ts';

/** Loads the rules. */
export const loadJsonRules: EngineLoader = (promotions) => {
  const engine = new Engine([], { allowUndefinedFacts: true });
  engine.addOperator<ReadonlySet<string>, readonly string[]>('hasAny', (fact, values) =>
    values.some((value) => fact.has(value)),
  );
  for (const promotion of promotions) {
    const { promotionId, conditions } = conditionsOf(promotion);
    engine.addRule({ conditions: { all: conditions.flatMap(translate) }, event: { type: promotionId } });
  }
  return {
    prepare: (input) => {
      const facts = flatFacts(cartFacts(input));
      return {
        run: () => engine.run(facts),
        matchesOf: (answer) => (isResult(answer) ? answer.events.map(({ type }) => type).toSorted() : []),
      };
    },
  };
};

function isResult(answer: unknown): answer is EngineResult {
  return typeof answer === 'object' && answer !== null && 'events' in answer;
}

function flatFacts({ spendByKey, tags, keys, ...rest }: CartFacts): Record<string, unknown> {
  return { ...rest, ...spendByKey, tags: new Set(tags), keys: new Set(keys) };
}

function translate(condition: Condition): ConditionProperties[] {
  switch (condition.kind) {
    case 'window': {
      const { startsAtMs, endsAtMs } = condition;
      return [
        ...(startsAtMs === undefined ? [] : [compare('atMs', 'greaterThanInclusive', startsAtMs)]),
        ...(endsAtMs === undefined ? [] : [compare('atMs', 'lessThanInclusive', endsAtMs)]),
      ];
    }
    case 'channel':
      return [compare('channel', 'in', condition.anyOf)];
    case 'tags':
      return [compare('tags', 'hasAny', condition.anyOf)];
    case 'present':
      return [compare('keys', 'hasAny', condition.anyOf)];
    case 'spend':
      return [compare(condition.key ?? 'subtotalMinor', 'greaterThanInclusive', condition.amountMinor)];
  }
}

function compare(fact: string, operator: string, value: unknown): ConditionProperties {
  return { fact, operator, value };
}
