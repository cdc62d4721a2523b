import { describe, expect, it, test } from 'vitest';
import { sampleDefinition } from '../../test/engine/sample-definition.ts';
import type { Effect, PromotionDefinition, Rule } from '../domain/promotion.ts';
import { compilePromotion, UncompilablePromotionError } from './compile-promotion.ts';
import { Vocabulary } from './vocabulary.ts';

const items = (...itemIds: string[]) => ({ itemIds, categoryIds: [] });
const SCOPE: Rule = { kind: 'item_discount_scope', selection: items('duck') };
const SHIPPING: Effect = { kind: 'free_shipping' };
const POINTS: Effect = { kind: 'bonus_points', points: 5 };

function compiled(changes: Partial<PromotionDefinition>) {
  return compilePromotion(sampleDefinition(changes), new Vocabulary());
}

function faultsOf(changes: Partial<PromotionDefinition>): readonly { field: string }[] {
  try {
    compiled(changes);
  } catch (error) {
    if (error instanceof UncompilablePromotionError) return error.faults;
    throw error;
  }
  return [];
}

describe('a compiled promotion (SPEC P10)', () => {
  test.each([
    ['order', {}],
    ['item', { rules: [SCOPE] }],
    ['shipping', { effect: SHIPPING, rules: [SCOPE] }],
    ['benefit', { effect: POINTS, rules: [SCOPE] }],
  ] as const)('is of the class %s (SPEC R14)', (wanted, changes) => {
    expect(compiled(changes).class).toBe(wanted);
  });

  it('keeps the places of its rules, and what they contribute', () => {
    const promotion = compiled({
      rules: [
        SCOPE,
        { kind: 'minimum_spend', amountMinor: 100, basis: 'after' },
        { kind: 'exclusion', selection: items('tea'), presenceRefuses: true },
        { kind: 'sale_items', handling: 'excluded' },
        { kind: 'first_order' },
      ],
    });
    expect(promotion.checks.map(({ ruleIndex }) => ruleIndex)).toEqual([2, 4]);
    expect(promotion.spendAfter).toEqual({ ruleIndex: 1, minor: 100 });
    expect(promotion.excluded).toHaveLength(2);
    expect(promotion.scope?.keys.items).toHaveLength(1);
  });

  it('combines with everything unless it says otherwise (SPEC R7)', () => {
    const free = {
      isAlone: false,
      excludedKinds: new Set(),
      exclusiveGroups: new Set(),
      isFirstByPriority: false,
    };
    expect(compiled({}).stacking).toEqual(free);
    const rule: Rule = {
      kind: 'stackability',
      mode: 'alone',
      excludedKinds: ['percent_off'],
      exclusiveGroups: ['spring'],
      choice: 'first_by_priority',
    };
    expect(compiled({ rules: [rule] }).stacking).toEqual({
      isAlone: true,
      excludedKinds: new Set(['percent_off']),
      exclusiveGroups: new Set(['spring']),
      isFirstByPriority: true,
    });
  });

  const needs: Rule = { kind: 'item_eligibility', selection: items('tea', 'rice'), match: 'all' };
  const buy: Effect = {
    kind: 'buy_x_get_y',
    buyQuantity: 1,
    getQuantity: 1,
    basisPoints: 10_000,
    maxGroups: 1,
    rewardChoice: 'cheapest',
  };
  test.each([
    ['nothing', {}, []],
    ['what it asks for', { rules: [needs] }, [2]],
    ['its scope', { rules: [SCOPE, needs] }, [2, 1]],
    ['no scope for shipping', { rules: [SCOPE, needs], effect: SHIPPING }, [2]],
    ['what is bought', { rules: [SCOPE], effect: { ...buy, buy: items('a', 'b', 'c') } }, [1, 3]],
    ['nothing when anything may be bought', { effect: buy }, []],
  ] as const)('needs in the cart: %s', (_, changes, lengths) => {
    expect(compiled(changes).requiredKeys.map((keys) => keys.items.length)).toEqual(lengths);
  });

  it('reports everything that is wrong with it at once, with the full path', () => {
    const rules: Rule[] = [
      SCOPE,
      { kind: 'cel', expression: 'cart.subtotl > 1' },
      { kind: 'time_slot', slots: [], days: [1], timeZone: 'Mars/Olympus' },
      SCOPE,
      { kind: 'cel', expression: '1 +' },
    ];
    expect(faultsOf({ rules }).map(({ field }) => field)).toEqual([
      'rules[1].cel.expression',
      'rules[2].time_slot.time_zone',
      'rules[4].cel.expression',
      'rules[3].item_discount_scope',
    ]);
    expect(() => compiled({ rules })).toThrow(/subtotl/);
  });
});
