import type { Candidate } from '../candidate.ts';
import { BitRows } from './bit-rows.ts';
import type { Field } from './field.ts';
import { type Touch, takesAllUnits } from './touch.ts';

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

  add({ reaction, oddUnits }: Touch, { candidates, takesSlot }: Field, at: number): void {
    this.oddUnits += oddUnits;
    if (reaction.kind !== 'share') return;
    const { rate } = reaction;
    const lines = candidates[at]?.eligible.length ?? 0;
    if (takesSlot[at] === 0) {
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

/**
 * Tells whether a discount surely makes every set better that its candidate may join: whatever is applied afterwards cannot win
 * all of it back. Made for one search; what is found out about a candidate is kept.
 *
 * Proof. Let a set S and the same set with candidate i be applied side by side, and at each moment D be the sum of what is
 * left in S minus that with i, and W the sum over lines of which more is left with i. Before i both are equal; i takes off
 * Δ, so D = Δ and W = 0. Each later candidate c of S then does one of these:
 * - It touches none of the lines on which the two may differ: nothing changes.
 * - It takes a fixed sum and so much is left in any legal set: D stays. Its odd units raise W by `oddUnits` at most.
 * - It takes a share p of m lines: a line with δ more in S loses at most pδ + 1 more there, and the lines with more left
 *   with i lose no less than in S, so D falls to D − p(D + W) − m at worst. A ceiling or a cut only lessens what D loses;
 *   W rises by `oddUnits`.
 * - It may swallow the difference, or be refused for it, as with a threshold after discounts: no promise.
 * - With i it gives nothing: it is left out of the larger set and has changed nothing there.
 * So at the end D ≥ Δ·Π(1 − p) − Σ(pW + m), and D is what the larger set saves more. Only so many coupons can follow as
 * there are slots; the worst are assumed. Discounts on shipping meet only each other, and the same holds with one line.
 */
export class SureGains {
  readonly #field: Field;
  /** Row by candidate: the lines it may touch; one row more as scratch. */
  readonly #lines: BitRows;
  /** The amount to exceed, by candidate; NaN where it is not known yet. */
  readonly #breakEvens: Float64Array;
  /** Whether each candidate is safe: 1 or 0, and −1 where that is not known yet. */
  readonly #safety: Int8Array;
  readonly #cliqueSeen: Uint8Array;

  constructor(field: Field, lineCount: number) {
    const count = field.candidates.length;
    this.#field = field;
    this.#lines = new BitRows(count + 1, lineCount);
    this.#breakEvens = new Float64Array(count).fill(Number.NaN);
    this.#safety = new Int8Array(count).fill(-1);
    this.#cliqueSeen = new Uint8Array(count);
    for (let at = 0; at < count; at += 1) {
      for (const place of field.candidates[at]?.eligible ?? []) this.#lines.add(at, place);
    }
  }

  /** Whether taking off so much, where its turn comes, makes every set better that a candidate may join. */
  isSure(at: number, offMinor: number): boolean {
    const known = this.#breakEvens[at] ?? Infinity;
    const breakEven = Number.isNaN(known) ? this.#breakEvenOf(at) : known;
    this.#breakEvens[at] = breakEven;
    return offMinor > breakEven;
  }

  /** The gain that may be won back whole; `Infinity` when nothing can be promised. */
  #breakEvenOf(at: number): number {
    const { touches, conflicts, slots } = this.#field;
    const { target } = touches[at] ?? {};
    const lines = this.#lines;
    const reached = touches.length;
    lines.copy(reached, lines, at);
    const erosion = new Erosion();
    for (let later = at + 1; later < touches.length; later += 1) {
      const touch = touches[later];
      if (touch === undefined || conflicts.has(at, later)) continue;
      const isMet = touch.target === target && (target !== 'items' || lines.overlaps(reached, lines, later));
      if (target === 'items' && this.#isJudgedAfter(later)) return Infinity;
      if (touch.target !== 'none' && !isMet) continue;
      if (!this.#bears(later, touch)) return Infinity;
      if (touch.oddUnits > 0) lines.addAll(reached, lines, later);
      erosion.add(touch, this.#field, later);
    }
    return erosion.breakEven(slots);
  }

  /** Whether a threshold after discounts may forbid a candidate because of what was taken off items. */
  #isJudgedAfter(at: number): boolean {
    return this.#field.candidates[at]?.promotion.spendAfter !== undefined;
  }

  /** Whether a later candidate can do what it does, as the proof wants it, although less is left for it. */
  #bears(later: number, { reaction, target }: Touch): boolean {
    if (reaction.kind === 'swallows') return false;
    const isNeeded = this.#field.mandatory[later] === 1 || (reaction.kind === 'fixed' && target !== 'none');
    return !isNeeded || this.#isSafe(later);
  }

  #isSafe(at: number): boolean {
    if (this.#safety[at] === -1) this.#safety[at] = this.#isAlwaysSafe(at) ? 1 : 0;
    return this.#safety[at] === 1;
  }

  /**
   * Whether a candidate is sure to give what it gives in every legal set: a fixed sum in full, a share something. That
   * matters for those that must be used, too: nothing may be added that leaves them without effect.
   */
  #isAlwaysSafe(at: number): boolean {
    const { candidates, touches, mostOff } = this.#field;
    const candidate = candidates[at];
    const reaction = touches[at]?.reaction;
    if (reaction === undefined || candidate === undefined) return false;
    switch (reaction.kind) {
      case 'fixed':
        return this.#leastLeft(at, candidate) > (mostOff[at] ?? 0);
      case 'share': {
        // Half a unit per line is the most that rounding takes from a share.
        const rounding = candidate.eligible.length / 2;
        return takesAllUnits(candidate) && this.#leastLeft(at, candidate) * reaction.rate > rounding;
      }
      case 'nothing':
        return candidate.promotion.effect.kind !== 'points_multiplier';
      case 'swallows':
        return false;
    }
  }

  /**
   * The least that is left for a candidate in any legal set: what the candidates before it take off its lines is at most
   * what they take off alone, the most of each clique and of no more coupons than there are slots.
   */
  #leastLeft(at: number, { spendMinor }: Candidate): number {
    const { touches, mostOff, cliques, takesSlot, byMostOff } = this.#field;
    let leftMinor = touches[at]?.target === 'items' ? spendMinor : this.#field.shippingMinor;
    let slots = this.#field.slots;
    this.#cliqueSeen.fill(0);
    for (let rank = 0; rank < byMostOff.length; rank += 1) {
      const other = byMostOff[rank] ?? 0;
      const clique = cliques[other] ?? 0;
      if (other >= at || this.#cliqueSeen[clique] === 1 || !this.#isInTheWay(other, at)) continue;
      if (takesSlot[other] === 1) {
        if (slots === 0) continue;
        slots -= 1;
      }
      this.#cliqueSeen[clique] = 1;
      leftMinor -= mostOff[other] ?? 0;
    }
    return leftMinor;
  }

  #isInTheWay(other: number, at: number): boolean {
    const { touches, conflicts } = this.#field;
    const target = touches[at]?.target;
    if (touches[other]?.target !== target || conflicts.has(at, other)) return false;
    return target === 'shipping' || this.#lines.overlaps(at, this.#lines, other);
  }
}
