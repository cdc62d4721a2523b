import { describe, expect, test } from 'vitest';
import type { PromotionDefinition, Rule } from '../../../src/domain/promotion.ts';
import type { EvaluationInput } from '../../../src/engine/evaluation-input.ts';
import { benchInputs } from '../../rule-sets/carts.ts';
import { Dice } from '../../rule-sets/dice.ts';
import { LIVE_COUNT, livePromotions, MATCHING_COUNT, SHOPPER_TAG } from '../../rule-sets/live-promotions.ts';
import {
  AT_MS,
  amountOff,
  automaticPromotion,
  categories,
  forTags,
  items,
  minimumSpend,
  onChannels,
  requires,
  scope,
} from '../../rule-sets/promotion-parts.ts';
import { ruleSet } from '../../rule-sets/rule-set.ts';
import { conditionsOf } from '../conditions.ts';
import type { EngineKey } from './engine.ts';
import { engineLoader } from './load-engine.ts';

const ENGINES: readonly EngineKey[] = ['plain_loop', 'json_rules_engine', 'zen_engine'];

/** The conditions read straight from the definition and the cart: slow, and easy to check by reading. */
function matchesDirectly(promotion: PromotionDefinition, { cart, facts, atMs }: EvaluationInput): boolean {
  const isIn = (selection: { itemIds: readonly string[]; categoryIds: readonly string[] }) =>
    cart.lines.filter(
      ({ itemId, categoryIds }) =>
        selection.itemIds.includes(itemId) || categoryIds.some((id) => selection.categoryIds.includes(id)),
    );
  const scoped = promotion.rules.find((rule) => rule.kind === 'item_discount_scope');
  const lines = scoped === undefined ? cart.lines : isIn(scoped.selection);
  const spend = lines.reduce((sum, line) => sum + line.quantity * line.unitPriceMinor, 0);
  const holds = (rule: Rule): boolean => {
    if (rule.kind === 'minimum_spend') return spend >= rule.amountMinor;
    if (rule.kind === 'item_eligibility') return isIn(rule.selection).length > 0;
    if (rule.kind === 'channel') return rule.channels.includes(cart.channel ?? '');
    return true;
  };
  const { audience, startsAtMs, endsAtMs } = promotion;
  return (
    lines.length > 0 &&
    promotion.rules.every(holds) &&
    (startsAtMs === undefined || startsAtMs <= atMs) &&
    (endsAtMs === undefined || atMs <= endsAtMs) &&
    (audience.kind !== 'tagged_users' || audience.anyOf.some((tag) => facts.tags?.has(tag)))
  );
}

/** Promotions around the border of every condition, so that many hold and many do not. */
function borderPromotions(count: number): PromotionDefinition[] {
  const dice = new Dice(7);
  return Array.from({ length: count }, (_, index) => {
    const selection = dice.isLucky(0.5)
      ? items(`item-${dice.between(1, 40)}`)
      : categories(`category-${dice.between(0, 12)}`);
    const rules = [
      ...(dice.isLucky(0.4) ? [scope(selection)] : []),
      ...(dice.isLucky(0.4) ? [minimumSpend(dice.between(1, 60) * 5_000)] : []),
      ...(dice.isLucky(0.3) ? [requires({ itemIds: [`item-${index}`], categoryIds: ['brand-3'] })] : []),
      ...(dice.isLucky(0.3) ? [onChannels(dice.pick(['app', 'web']), 'shop')] : []),
    ];
    return automaticPromotion(index + 1, {
      effect: amountOff(100),
      rules,
      ...(dice.isLucky(0.3) ? { audience: forTags(dice.pick([SHOPPER_TAG, 'other']), 'third') } : {}),
      ...(dice.isLucky(0.3) ? { startsAtMs: AT_MS + dice.between(-1, 1) } : {}),
      ...(dice.isLucky(0.3) ? { endsAtMs: AT_MS + dice.between(-1, 1) } : {}),
    });
  });
}

describe.each(ENGINES)('%s', (key) => {
  test('agrees with the direct reading on promotions around every border', async () => {
    const promotions = borderPromotions(300);
    const engine = (await engineLoader(key))(promotions);
    for (const input of [...benchInputs(5), ...benchInputs(20)]) {
      const { run, matchesOf } = engine.prepare(input);
      const expected = promotions.filter((promotion) => matchesDirectly(promotion, input));
      expect(expected.length).toBeGreaterThan(20);
      expect(expected.length).toBeLessThan(280);
      expect(matchesOf(await run())).toEqual(expected.map(({ id }) => id).toSorted());
    }
  });
});

test('at every size exactly the matching promotions match, whatever the cart', async () => {
  const matching = livePromotions().slice(0, MATCHING_COUNT);
  for (const idle of [10, 100, 1_000]) {
    const promotions = ruleSet(idle);
    expect(promotions).toHaveLength(idle + LIVE_COUNT);
    expect(new Set(promotions.map(({ ref }) => ref)).size).toBe(promotions.length);
    for (const input of [...benchInputs(5), ...benchInputs(20), ...benchInputs(100)]) {
      const found = promotions.filter((promotion) => matchesDirectly(promotion, input));
      expect(found.map(({ id }) => id).toSorted()).toEqual(matching.map(({ id }) => id));
    }
  }
});

test('a smaller rule set is a part of a larger one, so sizes differ in nothing else', () => {
  const larger = new Map(ruleSet(1_000).map((promotion) => [promotion.id, promotion]));
  for (const promotion of ruleSet(100)) expect(larger.get(promotion.id)).toEqual(promotion);
});

test('a condition other engines cannot be asked is refused, not left out', () => {
  const effect = amountOff(1);
  const refused = (rules: readonly Rule[]) => () => conditionsOf(automaticPromotion(1, { effect, rules }));
  expect(refused([{ kind: 'first_order' }])).toThrow(/first_order/);
  expect(refused([scope(items('a', 'b')), minimumSpend(1)])).toThrow(/one item or category/);
});
