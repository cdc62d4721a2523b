import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { REJECTION_REASONS } from '../../src/domain/decision.ts';
import type { Effect, PromotionDefinition, Rule } from '../../src/domain/promotion.ts';
import { engineEvaluate } from '../engine/engine-evaluate.ts';
import { referenceEvaluate } from '../engine/reference/reference-evaluate.ts';
import { readCase } from './case-format.ts';
import { inCaseWords } from './expectation-format.ts';

const CASES = join(import.meta.dirname, 'cases');
const files = readdirSync(CASES, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .sort();
const cases = files.map((file) => ({ file, ...readCase(parse(readFileSync(join(CASES, file), 'utf8'))) }));

// SPEC R1 to R14: each case names the row it proves.
describe.each([
  ['reference', referenceEvaluate],
  ['engine', engineEvaluate],
] as const)('the %s gives the expected answer', (_, evaluate) => {
  it.each(cases)('$file', ({ current, older, input, expected }) => {
    expect(inCaseWords(evaluate(current, older, input), input.cart)).toMatchObject(expected);
  });
});

// SPEC R13: what a case does not say is not left to chance either.
it.each(cases)('engine and reference give one answer to $file', ({ current, older, input }) => {
  expect(engineEvaluate(current, older, input)).toEqual(referenceEvaluate(current, older, input));
});

/** Every kind by name; the compiler wants them all. */
const EFFECT_KINDS: Record<Effect['kind'], true> = {
  fixed_amount_off: true,
  percent_off: true,
  gift_items: true,
  shipping_off: true,
  free_shipping: true,
  no_threshold_voucher: true,
  tiered_off: true,
  every_amount_off: true,
  buy_x_get_y: true,
  fixed_price: true,
  bonus_points: true,
  points_multiplier: true,
};

/** Every kind by name, and whether it can fail: a scope and what combines with what only limit the others. */
const RULE_KINDS: Record<Rule['kind'], 'can fail' | 'cannot fail'> = {
  minimum_spend: 'can fail',
  item_eligibility: 'can fail',
  exclusion: 'can fail',
  item_discount_scope: 'cannot fail',
  conditional_gift_item: 'can fail',
  spend_for_gift: 'can fail',
  time_slot: 'can fail',
  quantity_threshold: 'can fail',
  first_order: 'can fail',
  nth_order: 'can fail',
  channel: 'can fail',
  region: 'can fail',
  payment_method: 'can fail',
  custom_attribute: 'can fail',
  sale_items: 'can fail',
  stackability: 'cannot fail',
  cel: 'can fail',
};

interface Ending {
  readonly definition: PromotionDefinition;
  readonly failedRule: Rule | undefined;
}

/** What became of each promotion that a case names in its answer. */
const endings = cases.flatMap(({ current, older, input, expected }) => {
  const decision = referenceEvaluate(current, older, input);
  const find = (id: string, version: number): PromotionDefinition[] =>
    [...current, ...older].filter((each) => each.id === id && each.version === version);
  return {
    stated: new Set(expected.rejected?.map(({ reason }) => reason)),
    applied: decision.applied.flatMap((each) => find(each.promotionId, each.promotionVersion)),
    rejected: (expected.rejected === undefined ? [] : decision.rejected).flatMap((each): Ending[] =>
      find(each.promotionId, each.promotionVersion).map((definition) => ({
        definition,
        failedRule: each.ruleIndex === undefined ? undefined : definition.rules[each.ruleIndex],
      })),
    ),
  };
});

// SPEC R10: there are cases for everything an answer can say.
describe('the cases cover', () => {
  it('a good number', () => {
    expect(cases.length).toBeGreaterThanOrEqual(150);
  });

  it.each(Object.keys(EFFECT_KINDS))('the effect %s, applied and refused', (kind) => {
    expect(endings.some(({ applied }) => applied.some(({ effect }) => effect.kind === kind))).toBe(true);
    const isRefused = ({ definition }: Ending): boolean => definition.effect.kind === kind;
    expect(endings.some(({ rejected }) => rejected.some(isRefused))).toBe(true);
  });

  it.each(Object.entries(RULE_KINDS))('the rule %s, which %s', (kind, canFail) => {
    const hasRule = ({ rules }: PromotionDefinition): boolean => rules.some((rule) => rule.kind === kind);
    expect(endings.some(({ applied }) => applied.some(hasRule))).toBe(true);
    const hasFailed = ({ failedRule }: Ending): boolean => failedRule?.kind === kind;
    const isSeenFailing = endings.some(({ rejected }) => rejected.some(hasFailed));
    expect(isSeenFailing).toBe(canFail === 'can fail');
  });

  // Only an order of which the lines are not known needs lines.
  const elsewhere = new Set(['NEEDS_LINES']);
  it.each(REJECTION_REASONS.filter((reason) => !elsewhere.has(reason)))('the reason %s', (reason) => {
    expect(endings.some(({ stated }) => stated.has(reason))).toBe(true);
  });
});
