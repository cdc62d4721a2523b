import type { Failure } from '../../../src/domain/decision.ts';
import type { EffectOf, ItemSelection } from '../../../src/domain/promotion.ts';
import { leftAt, lineAt, type Outcome, offLines, type Turn } from './effect-turn.ts';
import { isIn, unitsOf } from './exact-cart.ts';
import { firstUnits, shareOf } from './exact-money.ts';
import { countByPlace, unitsInOrder } from './unit-pick.ts';

/** Units off when others are bought: whole groups only, and a unit serves once. */
export function applyBuyXGetY(effect: EffectOf<'buy_x_get_y'>, turn: Turn): Outcome {
  const bought = within(turn, effect.buy, turn.eligible);
  const rewarded = within(turn, effect.get, bought);
  const both = bought.filter((place) => rewarded.includes(place));
  const groups = groupsIn(effect, turn, { bought, rewarded, both });
  if (groups === 0) return { failure: incomplete(effect, turn, { bought, rewarded, both }) };
  const onlyBought = unitsOf(turn.cart, bought) - unitsOf(turn.cart, both);
  const spareBoth = unitsOf(turn.cart, both) - Math.max(0, groups * effect.buyQuantity - onlyBought);
  const chosen = chooseRewards(effect, turn, rewarded, both, groups * effect.getQuantity, spareBoth);
  const taken = countByPlace(chosen);
  const offs = new Map(
    [...taken].map(([place, count]) => {
      const value = firstUnits(leftAt(turn, place), lineAt(turn, place).units, count);
      return [place, shareOf(value, effect.basisPoints)];
    }),
  );
  return { given: offLines(turn, offs, taken) };
}

function within(
  { cart, eligible }: Turn,
  selection: ItemSelection | undefined,
  otherwise: readonly number[],
): readonly number[] {
  if (selection === undefined) return otherwise;
  return eligible.filter((place) => {
    const line = cart.lines[place];
    return line !== undefined && isIn(line, selection);
  });
}

interface Sides {
  readonly bought: readonly number[];
  readonly rewarded: readonly number[];
  readonly both: readonly number[];
}

/** The most groups for which there are enough units to buy, to reward, and to do both with none serving twice. */
function groupsIn(
  effect: EffectOf<'buy_x_get_y'>,
  { cart }: Turn,
  { bought, rewarded, both }: Sides,
): number {
  const { buyQuantity, getQuantity, maxGroups } = effect;
  const [toBuy, toReward] = [unitsOf(cart, bought), unitsOf(cart, rewarded)];
  const all = toBuy + toReward - unitsOf(cart, both);
  let groups = 0;
  const fits = (count: number): boolean =>
    count * buyQuantity <= toBuy &&
    count * getQuantity <= toReward &&
    count * (buyQuantity + getQuantity) <= all;
  while (groups < maxGroups && fits(groups + 1)) groups += 1;
  return groups;
}

/** The rewarded units in their order; units that could also be bought are rewarded only as far as they are not needed. */
function chooseRewards(
  effect: EffectOf<'buy_x_get_y'>,
  turn: Turn,
  rewarded: readonly number[],
  both: readonly number[],
  count: number,
  spareBoth: number,
): number[] {
  const chosen: number[] = [];
  let spare = spareBoth;
  for (const place of unitsInOrder(turn, rewarded, effect.rewardChoice)) {
    if (chosen.length === count) break;
    if (both.includes(place)) {
      if (spare === 0) continue;
      spare -= 1;
    }
    chosen.push(place);
  }
  return chosen;
}

/** Too few units for one group: seen are those that could serve in it. Any further unit helps only where all may do both. */
function incomplete(
  { buyQuantity, getQuantity }: EffectOf<'buy_x_get_y'>,
  { cart }: Turn,
  { bought, rewarded, both }: Sides,
): Failure {
  const needed = buyQuantity + getQuantity;
  const onlyBought = unitsOf(cart, bought) - unitsOf(cart, both);
  const onlyRewarded = unitsOf(cart, rewarded) - unitsOf(cart, both);
  const served = Math.min(buyQuantity, onlyBought) + Math.min(getQuantity, onlyRewarded);
  const seen = Math.min(needed, served + unitsOf(cart, both));
  const failure: Failure = { reason: 'GROUP_NOT_COMPLETE', needed, seen };
  const isSame = onlyBought + onlyRewarded === 0;
  return isSame ? { ...failure, shortfall: { kind: 'units', missing: needed - seen } } : failure;
}
