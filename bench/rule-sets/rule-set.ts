/** Rule sets by size. */
import type { PromotionDefinition } from '../../src/domain/promotion.ts';
import { idlePromotions } from './idle-promotions.ts';
import { LIVE_COUNT, livePromotions } from './live-promotions.ts';

/** Sizes measured: how many idle promotions there are beside the live ones, which are the same at every size. */
export const RULE_SET_SIZES = [10, 100, 1_000, 10_000, 100_000] as const;

/** The live promotions and this many idle ones. Live and idle stand mixed, as they would be created over time. */
export function ruleSet(idle: number): PromotionDefinition[] {
  const all = idlePromotions(idle, LIVE_COUNT + 1);
  const live = livePromotions();
  const step = Math.max(1, Math.floor(idle / live.length));
  for (const [index, promotion] of live.entries()) all.splice(index * (step + 1), 0, promotion);
  return all;
}
