/** How many groups of bought and rewarded units a cart holds, and which units are rewarded. A unit serves once. */
import type { EffectOf } from '../../domain/promotion.ts';
import type { LineList, PreparedCart } from '../prepared-cart.ts';
import type { LineMatcher } from '../selection.ts';
import { positionsByPrice, quantityOf, type TakenUnits } from './pick-units.ts';

/** Units by what they may serve as. */
interface Pools {
  /** Only to be bought. */
  readonly onlyBuy: number;
  /** Only to be rewarded. */
  readonly onlyGet: number;
  /** Either. */
  readonly both: number;
}

/** What a cart gives, before any discount. */
export interface GroupPlan {
  readonly groups: number;
  /** Units that are rewarded. */
  readonly rewarded: TakenUnits;
  /** Units that can serve in the first group; below x + y when there is none. */
  readonly unitsSeen: number;
  /** Any unit may serve as either, so that any missing units complete the group. */
  readonly isOnePool: boolean;
}

/** The lines that count as bought and as rewarded; absent: all, and the same as is bought. */
export interface GroupLines {
  readonly buy: LineMatcher | undefined;
  readonly get: LineMatcher | undefined;
}

/** Makes the plan for a cart. */
export function planGroups(
  effect: EffectOf<'buy_x_get_y'>,
  lines: GroupLines,
  cart: PreparedCart,
  eligible: LineList,
): GroupPlan {
  const isBuy = membership(lines.buy, cart, eligible) ?? eligible.map(() => true);
  const isGet = membership(lines.get, cart, eligible) ?? isBuy;
  const pools = countPools(cart, eligible, isBuy, isGet);
  const groups = countGroups(effect, pools);
  return {
    groups,
    rewarded: pickRewarded(effect, groups, pools, { cart, eligible, isBuy, isGet }),
    unitsSeen: unitsOfFirstGroup(effect, pools),
    isOnePool: pools.onlyBuy === 0 && pools.onlyGet === 0,
  };
}

function membership(
  matcher: LineMatcher | undefined,
  cart: PreparedCart,
  eligible: LineList,
): boolean[] | undefined {
  if (matcher === undefined) return undefined;
  const places = new Set(matcher.linesOf(cart));
  return eligible.map((place) => places.has(place));
}

function countPools(
  cart: PreparedCart,
  eligible: LineList,
  isBuy: readonly boolean[],
  isGet: readonly boolean[],
): Pools {
  const pools = { onlyBuy: 0, onlyGet: 0, both: 0 };
  for (const [position, place] of eligible.entries()) {
    const units = quantityOf(cart, place);
    if (isBuy[position] === true && isGet[position] === true) pools.both += units;
    else if (isBuy[position] === true) pools.onlyBuy += units;
    else if (isGet[position] === true) pools.onlyGet += units;
  }
  return pools;
}

function countGroups(effect: EffectOf<'buy_x_get_y'>, { onlyBuy, onlyGet, both }: Pools): number {
  const { buyQuantity, getQuantity, maxGroups } = effect;
  return Math.min(
    maxGroups,
    Math.floor((onlyBuy + both) / buyQuantity),
    Math.floor((onlyGet + both) / getQuantity),
    Math.floor((onlyBuy + onlyGet + both) / (buyQuantity + getQuantity)),
  );
}

function unitsOfFirstGroup(
  { buyQuantity, getQuantity }: EffectOf<'buy_x_get_y'>,
  { onlyBuy, onlyGet, both }: Pools,
): number {
  const served = Math.min(onlyBuy, buyQuantity) + Math.min(onlyGet, getQuantity);
  return served + Math.min(both, buyQuantity + getQuantity - served);
}

interface RewardLines {
  readonly cart: PreparedCart;
  readonly eligible: LineList;
  readonly isBuy: readonly boolean[];
  readonly isGet: readonly boolean[];
}

/** Units that may serve as either are rewarded only as far as enough of them are left to be bought. */
function pickRewarded(
  { buyQuantity, getQuantity, rewardChoice }: EffectOf<'buy_x_get_y'>,
  groups: number,
  { onlyBuy, both }: Pools,
  { cart, eligible, isBuy, isGet }: RewardLines,
): TakenUnits {
  const rewarded = new Float64Array(eligible.length);
  let wanted = groups * getQuantity;
  let spare = both + onlyBuy - groups * buyQuantity;
  for (const position of positionsByPrice(cart, eligible, rewardChoice)) {
    if (wanted === 0) break;
    if (isGet[position] !== true) continue;
    const units = Math.min(wanted, quantityOf(cart, eligible[position] ?? -1));
    const taken = isBuy[position] === true ? Math.min(units, spare) : units;
    if (isBuy[position] === true) spare -= taken;
    rewarded[position] = taken;
    wanted -= taken;
  }
  return rewarded;
}
