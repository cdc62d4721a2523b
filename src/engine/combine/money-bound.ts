import { BitRows } from './bit-rows.ts';
import { CliqueMarks } from './clique-marks.ts';
import type { Trial } from './trial.ts';

/**
 * The most that the set on trial can still save when the candidates before `from` are decided. "Open" are those from there on
 * that may still join. Longer than other files because one measurement of the open candidates, and the proof that what is
 * made of it is a bound, cannot be told apart. All amounts in minor units.
 */
export class MoneyBound {
  readonly #trial: Trial;
  readonly #totalMinor: number;
  /** One row: the open candidates. */
  readonly #open: BitRows;
  /** The most each open candidate that has to be chosen among others can add, and those candidates, largest first. */
  readonly #gains: Float64Array;
  readonly #contested: Int32Array;
  #contestedCount = 0;
  #contestedTakers = 0;
  /** When each candidate was last contested, and which measurement this is. */
  readonly #contestedAt: Uint32Array;
  #measured = 0;
  /** Contested candidates of each clique. */
  readonly #cliqueSizes: Uint16Array;
  /** The most that contested candidates add with so many coupons: those in no clique with others, and all. */
  readonly #mostOfSingle: Float64Array;
  readonly #mostByCoupons: Float64Array;
  /** What is saved once the free candidates are applied. */
  #freeMinor = 0;
  #oddOfFree = 0;
  #oddOfContested = 0;
  #erratic = 0;
  readonly #counted: CliqueMarks;
  /** Number of the last candidate whose sum depends on how the rest is shared among lines. */
  readonly #lastOnLines: number;
  /** Applications tried so far for bounds. */
  applications = 0;

  constructor(trial: Trial) {
    const { field } = trial;
    const count = field.candidates.length;
    this.#trial = trial;
    this.#totalMinor = mostOfAll(trial);
    this.#open = new BitRows(1, count);
    this.#gains = new Float64Array(count);
    this.#contested = new Int32Array(count);
    this.#contestedAt = new Uint32Array(count);
    this.#cliqueSizes = new Uint16Array(count);
    this.#mostOfSingle = new Float64Array(count + 1);
    this.#mostByCoupons = new Float64Array(count + 1);
    this.#counted = new CliqueMarks(field);
    this.#lastOnLines = field.touches.findLastIndex(({ dependsOnLines }) => dependsOnLines);
  }

  /**
   * A quick bound: what is saved, plus what the open candidates take off alone, the most of each clique and of no more coupons
   * than there are slots; never more than the order costs.
   */
  sumOfMost(from: number): number {
    const { field, tally, slotsLeft } = this.#trial;
    let slots = slotsLeft;
    let sum = tally.savedMinor;
    this.#counted.clear();
    for (let rank = 0; rank < field.byMostOff.length; rank += 1) {
      const at = field.byMostOff[rank] ?? 0;
      if (at < from || !this.#trial.isOpen(at)) continue;
      if (field.takesSlot[at] === 1 && slots === 0) continue;
      if (this.#counted.mark(at)) continue;
      slots -= field.takesSlot[at] ?? 0;
      sum += field.mostOff[at] ?? 0;
    }
    return Math.min(sum, this.#totalMinor);
  }

  /**
   * A bound from states: what is saved once every open candidate that nobody open conflicts with and that finds a slot (the
   * free ones, A) is applied, whatever its threshold, plus what the others (C) could at most add where their turn
   * comes, the most of each clique and of no more coupons than there are slots.
   *
   * Proof. Every application is monotone: from less (line by line) it leaves less, takes off less, and takes off less by no
   * more than the difference. Let S be what the trial becomes.
   * 1. S with all of A added saves no less than S: the same candidates find less of everything, and leave less in the end. The
   *    conflicts and slots of A's members allow it; members that now give nothing change nothing.
   * 2. Compare that set with A alone: each member of C it has takes off at most what it would where A alone has brought the
   *    lines, since less is left there; and the members of A together take off no more than they do alone.
   * Rounding shakes the "line by line": odd units may sit on other lines, `oddUnits` for each application that spreads. They
   * count when a later application depends on the lines: once for all that spread in step 1, once for those of A in
   * step 2, and once more for each member of C counted. An application over which states cannot be compared (erratic) is
   * left out of both sets and counted with what it takes off alone; leaving one out moves odd units once more.
   *
   * The number of coupons that an amount needs is found with all coupons in C.
   */
  mostFromHere(from: number): number {
    this.#measure(from, false);
    const most = this.#mostOfContested(Math.min(this.#trial.slotsLeft, this.#contestedTakers));
    return Math.min(this.#freeMinor + most + this.#slack(), this.#totalMinor);
  }

  /**
   * The fewest coupons with which an amount can be reached, from what they add where the free automatic promotions have
   * brought the lines; `Infinity` when none suffice.
   */
  couponsNeeded(from: number, wantedMinor: number): number {
    this.#measure(from, true);
    const coupons = Math.min(this.#trial.slotsLeft, this.#contestedTakers);
    this.#mostOfContested(coupons);
    const missing = wantedMinor - this.#freeMinor - this.#slack();
    for (let count = 0; count <= coupons; count += 1) {
      if ((this.#mostByCoupons[count] ?? 0) >= missing) return count;
    }
    return Infinity;
  }

  /** Applies the free candidates, notes what the contested ones could add, and leaves the trial as it was. */
  #measure(from: number, areCouponsContested: boolean): void {
    const { field, tally, slotsLeft } = this.#trial;
    const depth = tally.depth;
    const openTakers = this.#findOpen(from);
    const isSlotFree = !areCouponsContested && openTakers <= slotsLeft;
    this.#measured += 1;
    this.#contestedCount = 0;
    this.#contestedTakers = 0;
    this.#cliqueSizes.fill(0);
    this.#oddOfFree = 0;
    this.#oddOfContested = 0;
    this.#erratic = 0;
    for (let at = from; at < field.candidates.length; at += 1) {
      const touch = field.touches[at];
      if (!this.#open.has(0, at) || touch === undefined || touch.target === 'none') continue;
      const hasSlot = isSlotFree || field.takesSlot[at] === 0;
      const isFree = hasSlot && !touch.isErratic && !field.conflicts.overlaps(at, this.#open, 0);
      const odd = at < this.#lastOnLines ? touch.oddUnits : 0;
      if (isFree) this.#applyFree(at, odd);
      else this.#contest(at, touch.isErratic, odd);
    }
    this.#freeMinor = tally.savedMinor;
    tally.undoTo(depth);
  }

  #applyFree(at: number, odd: number): void {
    const candidate = this.#trial.field.candidates[at];
    if (candidate === undefined) return;
    this.#trial.tally.applyOptimistically(candidate);
    this.applications += 1;
    this.#oddOfFree += odd;
  }

  /** What odd units may add to the bound, however many contested candidates are used. */
  #slack(): number {
    const coupons = Math.min(this.#trial.slotsLeft, this.#contestedTakers);
    const counted = this.#contestedCount - this.#contestedTakers + coupons;
    const once = this.#oddOfFree + this.#oddOfContested;
    return Math.floor(once * (1 + this.#erratic) + this.#oddOfFree * (1 + counted));
  }

  /** Marks the open candidates; answers how many take a slot. */
  #findOpen(from: number): number {
    const { field } = this.#trial;
    this.#open.bits.fill(0);
    let takers = 0;
    for (let at = from; at < field.candidates.length; at += 1) {
      if (!this.#trial.isOpen(at)) continue;
      this.#open.add(0, at);
      takers += field.takesSlot[at] ?? 0;
    }
    return takers;
  }

  /** Notes what a contested candidate could add where the free ones before it have brought the lines. */
  #contest(at: number, isErratic: boolean, odd: number): void {
    const { field, tally } = this.#trial;
    const candidate = field.candidates[at];
    if (candidate === undefined) return;
    const gain = isErratic ? (field.mostOff[at] ?? 0) : tally.mostOff(candidate);
    this.applications += 1;
    this.#erratic += isErratic ? 1 : 0;
    this.#oddOfContested += odd;
    this.#gains[at] = gain;
    this.#contestedAt[at] = this.#measured;
    this.#contestedTakers += field.takesSlot[at] ?? 0;
    const clique = field.cliques[at] ?? 0;
    this.#cliqueSizes[clique] = (this.#cliqueSizes[clique] ?? 0) + 1;
    const contested = this.#contested;
    let to = this.#contestedCount;
    this.#contestedCount += 1;
    while (to > 0 && (this.#gains[contested[to - 1] ?? 0] ?? 0) < gain) {
      contested[to] = contested[to - 1] ?? 0;
      to -= 1;
    }
    contested[to] = at;
  }

  /**
   * The most that the contested candidates add with at most so many coupons; for fewer coupons see `#mostByCoupons`.
   *
   * Let P be what they have taken so far below the state of A alone. A candidate that takes the share p of all lines takes
   * p·P less than it would there, with rounding at least p·P − m for m lines; any other at most its gain. So P follows in
   * the order of application, for each number of coupons; more P before never makes less P after, so the most is kept.
   * Members of larger cliques are added at the end, the largest of each, as if nothing were taken before them.
   */
  #mostOfContested(coupons: number): number {
    const most = this.#mostOfSingle.fill(0, 0, coupons + 1);
    for (let at = 0; at < this.#gains.length; at += 1) {
      if (this.#isContested(at) && this.#cliqueSizes[this.#trial.field.cliques[at] ?? 0] === 1) {
        this.#addSingle(at, coupons);
      }
    }
    return this.#addCliques(most, coupons);
  }

  #isContested(at: number): boolean {
    return this.#contestedAt[at] === this.#measured;
  }

  #addSingle(at: number, coupons: number): void {
    const { touches, takesSlot } = this.#trial.field;
    const { shareOfAll = 0, capMinor = 0 } = touches[at] ?? {};
    const gain = this.#gains[at] ?? 0;
    const share = gain < capMinor ? shareOfAll : 0;
    const lines = this.#trial.tally.left.length;
    const most = this.#mostOfSingle;
    const isCoupon = takesSlot[at] === 1;
    for (let count = coupons; count >= (isCoupon ? 1 : 0); count -= 1) {
      const before = most[isCoupon ? count - 1 : count] ?? 0;
      const after = before + gain - Math.max(0, share * before - lines);
      if (after > (most[count] ?? 0)) most[count] = after;
    }
  }

  /** Adds the most of each larger clique, coupons in the place of single ones where that gives more. */
  #addCliques(mostOfSingle: Float64Array, coupons: number): number {
    const { takesSlot, cliques } = this.#trial.field;
    const most = this.#mostByCoupons;
    for (let count = 0; count <= coupons; count += 1) most[count] = mostOfSingle[count] ?? 0;
    let ofAutomatic = 0;
    let ofCoupons = 0;
    let used = 0;
    this.#counted.clear();
    for (let rank = 0; rank < this.#contestedCount; rank += 1) {
      const at = this.#contested[rank] ?? 0;
      if (this.#cliqueSizes[cliques[at] ?? 0] === 1 || this.#counted.mark(at)) continue;
      if (takesSlot[at] === 0) ofAutomatic += this.#gains[at] ?? 0;
      else {
        ofCoupons += this.#gains[at] ?? 0;
        used += 1;
        for (let count = used; count <= coupons; count += 1) {
          most[count] = Math.max(most[count] ?? 0, (mostOfSingle[count - used] ?? 0) + ofCoupons);
        }
      }
    }
    for (let count = 0; count <= coupons; count += 1) most[count] = (most[count] ?? 0) + ofAutomatic;
    return most[coupons] ?? 0;
  }
}

/** What the lines cost that somebody discounts, and what is taken off shipping at most: no set saves more. */
function mostOfAll({ field, tally }: Trial): number {
  const isTouched = new Uint8Array(tally.left.length);
  let shippingOffMinor = 0;
  for (const [at, { target }] of field.touches.entries()) {
    if (target === 'shipping') shippingOffMinor += field.mostOff[at] ?? 0;
    if (target === 'items') for (const place of field.candidates[at]?.eligible ?? []) isTouched[place] = 1;
  }
  const itemsMinor = tally.left.reduce((sum, left, place) => sum + (isTouched[place] === 1 ? left : 0), 0);
  return itemsMinor + Math.min(shippingOffMinor, field.shippingMinor);
}
