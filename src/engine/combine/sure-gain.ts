import { BitRows } from './bit-rows.ts';
import type { Field } from './field.ts';

/**
 * For each candidate the amount such that taking off more than it, where its turn comes, surely makes any set better that the
 * candidate may join: whatever is applied afterwards cannot win all of it back. `Infinity` when that cannot be promised.
 *
 * Proof. Let a set S and the same set with candidate i be applied side by side, and at each moment D be the sum of what is
 * left in S minus that with i, and W the sum over lines of which more is left with i. Before i both are equal; i takes off
 * Δ, so D = Δ and W = 0. Each later candidate c of S then does one of these:
 * - It touches none of the lines on which the two may differ: nothing changes.
 * - It takes a fixed sum and so much is left in any legal set: D stays. Its odd units raise W by `oddUnits` at most.
 * - It takes a share p of m lines: a line with δ more in S loses at most pδ + 1 more there, and the lines with more left
 *   with i lose no less than in S, so D falls to D − p(D + W) − m at worst. A ceiling or a cut only lessens what D loses;
 *   W rises by `oddUnits`.
 * - It may swallow the difference, or be refused: no promise.
 * - With i it gives nothing: it is left out of the larger set and has changed nothing there.
 * So at the end D ≥ Δ·Π(1 − p) − Σ(pW + m), and D is what the larger set saves more. Only so many coupons can follow as
 * there are slots; the worst are assumed. Discounts on shipping meet only each other, and the same holds with one line.
 */
export function sureGains(field: Field, lineCount: number): Float64Array {
  const lines = linesOf(field, lineCount);
  const isSafe = field.candidates.map((_, at) => isAlwaysSafe(field, at, lines));
  return Float64Array.from(field.candidates, (_, at) => sureGainOf(at, field, lines, isSafe));
}

/** Row by candidate: the lines it may touch; one row more as scratch. */
function linesOf({ candidates }: Field, lineCount: number): BitRows {
  const lines = new BitRows(candidates.length + 1, lineCount);
  for (const [at, { eligible }] of candidates.entries()) for (const place of eligible) lines.add(at, place);
  return lines;
}

/** What later candidates may take back, of automatic promotions and of slot takers apart. */
class Erosion {
  survivingShare = 1;
  lossOfLines = 0;
  rates = 0;
  oddUnits = 0;
  takers = 0;
  takersSurvivingShare = 1;
  leastTakerShare = 1;
  mostTakerRate = 0;
  mostTakerLines = 0;

  addShare(rate: number, lines: number, takesSlot: boolean): void {
    if (!takesSlot) {
      this.survivingShare *= 1 - rate;
      this.lossOfLines += lines;
      this.rates += rate;
      return;
    }
    this.takers += 1;
    this.takersSurvivingShare *= 1 - rate;
    this.leastTakerShare = Math.min(this.leastTakerShare, 1 - rate);
    this.mostTakerRate = Math.max(this.mostTakerRate, rate);
    this.mostTakerLines = Math.max(this.mostTakerLines, lines);
  }

  /** The gain at which nothing may be left of it. */
  breakEven(slots: number): number {
    const takers = Math.min(slots, this.takers);
    const share = Math.max(this.takersSurvivingShare, this.leastTakerShare ** takers) * this.survivingShare;
    const rates = this.rates + takers * this.mostTakerRate;
    const loss = this.lossOfLines + takers * this.mostTakerLines + rates * this.oddUnits;
    return loss / share;
  }
}

function sureGainOf(at: number, field: Field, lines: BitRows, isSafe: readonly boolean[]): number {
  const { touches, conflicts, takesSlot, slots } = field;
  const { target } = touches[at] ?? {};
  const scratch = lines.bits.length / lines.words - 1;
  lines.copy(scratch, lines, at);
  const erosion = new Erosion();
  for (let later = at + 1; later < touches.length; later += 1) {
    const touch = touches[later];
    if (touch === undefined || conflicts.has(at, later)) continue;
    const isUnderThreat = field.mandatory[later] === 1 || touch.reaction.kind === 'fixed';
    if (touch.target === 'none' && isUnderThreat && !isSafe[later]) return Infinity;
    if (touch.target !== target || (target === 'items' && !lines.overlaps(scratch, lines, later))) continue;
    if (touch.reaction.kind === 'swallows' || (isUnderThreat && !isSafe[later])) return Infinity;
    if (touch.oddUnits > 0) lines.addAll(scratch, lines, later);
    erosion.oddUnits += touch.oddUnits;
    if (touch.reaction.kind === 'share') {
      const width = field.candidates[later]?.eligible.length ?? 0;
      erosion.addShare(touch.reaction.rate, width, takesSlot[later] === 1);
    }
  }
  return erosion.breakEven(slots);
}

/**
 * Whether a candidate is sure to give what it gives in every legal set: a fixed sum in full, a share something. That matters
 * for those that must be used, too: nothing may be added that leaves them without effect.
 */
function isAlwaysSafe(field: Field, at: number, lines: BitRows): boolean {
  const { reaction } = field.touches[at] ?? {};
  const { promotion, eligible } = field.candidates[at] ?? {};
  const effect = promotion?.definition.effect;
  switch (reaction?.kind) {
    case 'fixed':
      return leastLeft(field, at, lines) > (field.mostOff[at] ?? 0);
    case 'share': {
      // Half a unit per line is the most that rounding takes from a share.
      const isOfAllUnits =
        effect?.kind === 'tiered_off' || (effect?.kind === 'percent_off' && !effect.unitCap);
      const rounding = (eligible?.length ?? 0) / 2;
      return isOfAllUnits && leastLeft(field, at, lines) * reaction.rate > rounding;
    }
    case 'nothing':
      return effect?.kind !== 'points_multiplier';
    default:
      return false;
  }
}

/**
 * The least that is left for a candidate in any legal set: what the candidates before it take off its lines is at most what
 * they take off alone, the most of each clique and of no more coupons than there are slots.
 */
function leastLeft(field: Field, at: number, lines: BitRows): number {
  const { touches, candidates, mostOff, conflicts, cliques, takesSlot } = field;
  const target = touches[at]?.target;
  let leftMinor = target === 'items' ? (candidates[at]?.spendMinor ?? 0) : field.shippingMinor;
  let slots = field.slots;
  const seen = new Set<number>();
  for (const other of field.byMostOff) {
    const isInTheWay =
      other < at &&
      touches[other]?.target === target &&
      !conflicts.has(at, other) &&
      (target === 'shipping' || lines.overlaps(at, lines, other));
    const clique = cliques[other] ?? 0;
    if (!isInTheWay || seen.has(clique)) continue;
    if (takesSlot[other] === 1) {
      if (slots === 0) continue;
      slots -= 1;
    }
    seen.add(clique);
    leftMinor -= mostOff[other] ?? 0;
  }
  return leftMinor;
}
