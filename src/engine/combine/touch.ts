/**
 * What an application does with a difference that an earlier discount made. The search asks this to know whether one more
 * discount always saves money, and how far odd minor units may move between lines.
 */
import type { EffectOf, Tier } from '../../domain/promotion.ts';
import type { Candidate } from '../candidate.ts';

/** How the sum taken off answers to a difference in what is left. */
export type Reaction =
  /** It takes the same sum as long as that much is left: the difference stays. */
  | { readonly kind: 'fixed' }
  /** It takes a share of each line: that share of the difference goes, and less than a unit per line to rounding. */
  | { readonly kind: 'share'; readonly rate: number }
  /** It may take the whole difference, or cannot be applied any more. */
  | { readonly kind: 'swallows' }
  /** It takes no money. */
  | { readonly kind: 'nothing' };

/** What the search knows about one candidate's effect on this cart. */
export interface Touch {
  readonly target: 'items' | 'shipping' | 'none';
  readonly reaction: Reaction;
  /** With more left of every line before it, there may be less left of a line after it. No bound by states holds over it. */
  readonly isErratic: boolean;
  /** The sum it takes off depends on how what is left is shared among lines, and not only on the total. */
  readonly dependsOnLines: boolean;
  /** The share of every line of the cart that it takes, with all units and up to its cap; 0 when it takes something else. */
  readonly shareOfAll: number;
  /** Its ceiling or what its budget allows, whichever is less; `Infinity` without either. */
  readonly capMinor: number;
  /**
   * The most minor units that rounding puts on other lines than exact shares would, compared for two states. Shares by largest
   * remainder differ from exact ones by f or 1 − f with f the remainder, and those differences sum to at most half a
   * unit per line; in two states together one unit per line, half of that on lines that get too much. A discount that
   * is cut to a budget is spread once more, with shipping as one more line.
   */
  readonly oddUnits: number;
}

const NOTHING: Reaction = { kind: 'nothing' };
const FIXED: Reaction = { kind: 'fixed' };
const SWALLOWS: Reaction = { kind: 'swallows' };
const WHOLE_BASIS_POINTS = 10_000;

/** Describes a candidate; `aloneMinor` is the most it takes off from the untouched cart. */
export function touchOf(candidate: Candidate, aloneMinor: number, lineCount: number): Touch {
  const { effect } = candidate.promotion;
  const isMoney = aloneMinor > 0 && effect.target !== 'benefit';
  const target = isMoney ? (effect.target === 'shipping' ? 'shipping' : 'items') : 'none';
  const reaction = isMoney ? reactionOf(candidate) : NOTHING;
  const isOfAll = candidate.eligible.length === lineCount && takesAllUnits(candidate);
  return {
    target,
    reaction,
    shareOfAll: isOfAll && reaction.kind === 'share' ? reaction.rate : 0,
    capMinor: Math.min(ceilingOf(candidate), candidate.budgetLeftMinor),
    isErratic: isErratic(candidate),
    dependsOnLines:
      target === 'items' && (reaction.kind !== 'fixed' || candidate.eligible.length < lineCount),
    oddUnits: target === 'items' ? oddUnitsOf(candidate, aloneMinor) : 0,
  };
}

function reactionOf(candidate: Candidate): Reaction {
  const { spendAfter, definition } = candidate.promotion;
  const { effect } = definition;
  if (spendAfter !== undefined) return SWALLOWS;
  switch (effect.kind) {
    case 'fixed_amount_off':
    case 'no_threshold_voucher':
    case 'shipping_off':
      return FIXED;
    case 'free_shipping':
      return effect.maxOffMinor === undefined ? SWALLOWS : FIXED;
    case 'every_amount_off':
      return effect.thresholdBasis === 'before' ? FIXED : SWALLOWS;
    case 'percent_off':
      return effect.base === 'remaining' ? shareOf(effect.basisPoints) : SWALLOWS;
    case 'tiered_off':
      return reactionOfTiers(effect, candidate);
    case 'buy_x_get_y':
      return shareOf(effect.basisPoints);
    case 'gift_items':
    case 'fixed_price':
      return SWALLOWS;
    case 'bonus_points':
    case 'points_multiplier':
      return NOTHING;
  }
}

/** Whether a share is taken of all units of its lines. */
export function takesAllUnits({ promotion }: Candidate): boolean {
  const { effect } = promotion.definition;
  return effect.kind === 'tiered_off' || (effect.kind === 'percent_off' && effect.unitCap === undefined);
}

function ceilingOf({ promotion }: Candidate): number {
  const { effect } = promotion.definition;
  const isPercent = effect.kind === 'percent_off' || effect.kind === 'tiered_off';
  return (isPercent ? effect.maxOffMinor : undefined) ?? Infinity;
}

function shareOf(basisPoints: number): Reaction {
  const rate = basisPoints / WHOLE_BASIS_POINTS;
  return rate < 1 ? { kind: 'share', rate } : SWALLOWS;
}

function reactionOfTiers(effect: EffectOf<'tiered_off'>, candidate: Candidate): Reaction {
  if (isJudgedAfter(effect)) return SWALLOWS;
  const off = tierReached(effect, candidate)?.off;
  if (off?.kind === 'amount') return FIXED;
  return off !== undefined && effect.base === 'remaining' ? shareOf(off.basisPoints) : SWALLOWS;
}

function isJudgedAfter({ thresholdKind, thresholdBasis }: EffectOf<'tiered_off'>): boolean {
  return thresholdKind === 'spend' && thresholdBasis === 'after';
}

function tierReached(effect: EffectOf<'tiered_off'>, { spendMinor, units }: Candidate): Tier | undefined {
  const measure = effect.thresholdKind === 'spend' ? spendMinor : units;
  return effect.tiers.findLast(({ threshold }) => threshold <= measure);
}

/**
 * Bundles choose by value which lines carry the discount, so a little more left of one line can move much of it there. Tiers
 * of amounts and percentages that are judged by what is left may take off more from less.
 */
function isErratic({ promotion }: Candidate): boolean {
  const { effect } = promotion.definition;
  if (effect.kind === 'fixed_price') return effect.bundleUnits !== undefined;
  if (effect.kind !== 'tiered_off' || !isJudgedAfter(effect)) return false;
  const [first, ...others] = effect.tiers;
  return others.some(({ off }) => off.kind !== first?.off.kind);
}

function oddUnitsOf({ promotion, eligible, budgetLeftMinor }: Candidate, aloneMinor: number): number {
  const { effect } = promotion.definition;
  const isBelowCeiling = effect.kind === 'percent_off' && aloneMinor < (effect.maxOffMinor ?? Infinity);
  const isSpread = promotion.effect.isSpread && !isBelowCeiling && eligible.length > 1;
  const isCut = budgetLeftMinor <= aloneMinor;
  return ((isSpread ? eligible.length : 0) + (isCut ? eligible.length + 1 : 0)) / 2;
}
