/** What a rule looks at in a test: a cart, a user and a moment. */
import type { Cart, UserFacts } from '../../src/domain/cart.ts';
import type { Failure } from '../../src/domain/decision.ts';
import type { PromotionDefinition, Rule } from '../../src/domain/promotion.ts';
import { compilePromotion } from '../../src/engine/compile-promotion.ts';
import { eligibilityOf } from '../../src/engine/match/eligible-lines.ts';
import { prepareCart } from '../../src/engine/prepared-cart.ts';
import { Vocabulary } from '../../src/engine/vocabulary.ts';
import { zonedClock } from '../../src/engine/zoned-clock.ts';
import { sampleDefinition } from './sample-definition.ts';
import { SAMPLE_AT_MS, sampleCart } from './sample-input.ts';

/** What a rule is asked about. */
export interface RuleQuestion {
  readonly cart?: Partial<Cart>;
  readonly facts?: UserFacts;
  readonly atMs?: number;
  /** Other rules of the same promotion, which come after it. */
  readonly beside?: readonly Rule[];
  readonly effect?: PromotionDefinition['effect'];
}

/** The first failure of a promotion with this rule, with the place of the rule; undefined when all rules hold. */
export function failureOf(rule: Rule, question: RuleQuestion = {}): Failure | undefined {
  const { cart = {}, facts = {}, atMs = SAMPLE_AT_MS, beside = [], effect } = question;
  const vocabulary = new Vocabulary();
  const definition = sampleDefinition({ rules: [rule, ...beside], ...(effect && { effect }) });
  const promotion = compilePromotion(definition, vocabulary);
  const prepared = prepareCart(sampleCart(cart), vocabulary);
  const context = {
    cart: prepared,
    ...eligibilityOf(promotion, prepared),
    facts,
    atMs,
    wallClock: zonedClock(atMs),
  };
  for (const { check, ruleIndex } of promotion.checks) {
    const failure = check(context);
    if (failure !== undefined) return { ...failure, ruleIndex };
  }
  return undefined;
}
