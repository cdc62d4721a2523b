import { BitRows } from './bit-rows.ts';
import { ascending, compareLists, expiriesOf, type Incumbent, keyRanksOf } from './incumbent.ts';
import type { Trial } from './trial.ts';

/**
 * Bounds of what the set on trial can still become when the candidates before `from` are decided. "Open" are those from
 * there on that may still join.
 */
export class UpperBound {
  readonly #trial: Trial;
  readonly #totalMinor: number;
  /** One row: the open candidates. */
  readonly #open: BitRows;
  /** The most each open candidate that has to be chosen among others can add, and those candidates, largest first. */
  readonly #gains: Float64Array;
  readonly #contested: Int32Array;
  #contestedCount = 0;
  /** What is saved once the free candidates are applied. */
  #freeMinor = 0;
  #oddOfFree = 0;
  #oddOfContested = 0;
  #erratic = 0;
  /** When each clique was last counted. */
  readonly #cliqueSeenAt: Uint32Array;
  #turn = 0;
  /** Number of the last candidate whose sum depends on how the rest is shared among lines. */
  readonly #lastOnLines: number;
  /** Applications tried so far. */
  applications = 0;

  constructor(trial: Trial) {
    const { field, tally } = trial;
    const count = field.candidates.length;
    this.#trial = trial;
    this.#totalMinor = tally.left.reduce((sum, left) => sum + left, tally.shippingLeftMinor);
    this.#open = new BitRows(1, count);
    this.#gains = new Float64Array(count);
    this.#contested = new Int32Array(count);
    this.#cliqueSeenAt = new Uint32Array(count);
    this.#lastOnLines = field.touches.findLastIndex(({ dependsOnLines }) => dependsOnLines);
  }

  /** Whether no set that the trial can still become ranks before the incumbent. */
  isHopeless(from: number, incumbent: Incumbent): boolean {
    if (!incumbent.isSet) return false;
    const wanted = incumbent.savedMinor;
    if (this.#sumOfMost(from) < wanted) return true;
    const most = this.#mostFromHere(from);
    return most < wanted || (most === wanted && this.#losesTie(from, incumbent));
  }

  /**
   * A quick bound: what is saved, plus what the open candidates take off alone, the most of each clique and of no more coupons
   * than there are slots; never more than the order costs.
   */
  #sumOfMost(from: number): number {
    const { field, tally, slotsLeft } = this.#trial;
    let slots = slotsLeft;
    let sum = tally.savedMinor;
    this.#turn += 1;
    for (let rank = 0; rank < field.byMostOff.length; rank += 1) {
      const at = field.byMostOff[rank] ?? 0;
      if (at < from || !this.#trial.isOpen(at)) continue;
      if (field.takesSlot[at] === 1 && slots === 0) continue;
      if (this.#isCliqueCounted(at)) continue;
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
  #mostFromHere(from: number): number {
    this.#measure(from, false);
    const { sum, counted } = this.#sumOfContested(true, this.#trial.slotsLeft);
    return Math.min(this.#freeMinor + sum + this.#slackOf(counted), this.#totalMinor);
  }

  /** Applies the free candidates, notes what the contested ones could add, and leaves the trial as it was. */
  #measure(from: number, areCouponsContested: boolean): void {
    const { field, tally, slotsLeft } = this.#trial;
    const depth = tally.depth;
    const openTakers = this.#findOpen(from);
    const isSlotFree = !areCouponsContested && openTakers <= slotsLeft;
    this.#contestedCount = 0;
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

  #slackOf(counted: number): number {
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
    const contested = this.#contested;
    let to = this.#contestedCount;
    this.#contestedCount += 1;
    while (to > 0 && (this.#gains[contested[to - 1] ?? 0] ?? 0) < gain) {
      contested[to] = contested[to - 1] ?? 0;
      to -= 1;
    }
    contested[to] = at;
  }

  /** The most of each clique, with at most so many coupons; automatic promotions only if they are asked for. */
  #sumOfContested(withAutomatic: boolean, slots: number): { sum: number; counted: number } {
    const { takesSlot } = this.#trial.field;
    let slotsLeft = slots;
    let sum = 0;
    let counted = 0;
    this.#turn += 1;
    for (let rank = 0; rank < this.#contestedCount; rank += 1) {
      const at = this.#contested[rank] ?? 0;
      if (takesSlot[at] === 1 ? slotsLeft === 0 : !withAutomatic) continue;
      if (this.#isCliqueCounted(at)) continue;
      slotsLeft -= takesSlot[at] ?? 0;
      sum += this.#gains[at] ?? 0;
      counted += 1;
    }
    return { sum, counted };
  }

  /** Whether a clique was counted this turn; if not, it is now. */
  #isCliqueCounted(at: number): boolean {
    const clique = this.#trial.field.cliques[at] ?? 0;
    if (this.#cliqueSeenAt[clique] === this.#turn) return true;
    this.#cliqueSeenAt[clique] = this.#turn;
    return false;
  }

  /**
   * Whether a set that saves as much as the incumbent at best is surely no better in the rest of the rank. Each part of the
   * rank is bounded by itself; the first that differs decides.
   */
  #losesTie(from: number, incumbent: Incumbent): boolean {
    const { tally, field } = this.#trial;
    const gifts = tally.giftUnits + this.#sumOverOpen(from, field.mostGifts);
    if (gifts !== incumbent.giftUnits) return gifts < incumbent.giftUnits;
    const points = tally.bonusPoints + this.#sumOverOpen(from, field.mostPoints);
    if (points !== incumbent.bonusPoints) return points < incumbent.bonusPoints;
    return this.#losesByCoupons(from, incumbent);
  }

  /** The most that the open candidates give, with no more coupons than there are slots. */
  #sumOverOpen(from: number, amounts: Float64Array): number {
    const giving = this.#openNumbers(from).filter((at) => (amounts[at] ?? 0) > 0);
    if (giving.length === 0) return 0;
    const { takesSlot } = this.#trial.field;
    const ofCoupons = giving.filter((at) => takesSlot[at] === 1).map((at) => amounts[at] ?? 0);
    const chosen = ofCoupons.sort((left, right) => right - left).slice(0, this.#trial.slotsLeft);
    const ofOthers = giving.filter((at) => takesSlot[at] === 0).map((at) => amounts[at] ?? 0);
    return [...chosen, ...ofOthers].reduce((sum, amount) => sum + amount, 0);
  }

  #losesByCoupons(from: number, incumbent: Incumbent): boolean {
    const trial = this.#trial;
    const more = this.#couponsNeeded(from, incumbent.savedMinor);
    const takers = trial.takers + more;
    if (takers !== incumbent.takers) return takers > incumbent.takers;
    const members = [...trial.members.subarray(0, trial.size)];
    // Of sorted lists of one length the one whose added entries are the smallest is position by position the smallest.
    const soonest = expiriesOf(this.#openNumbers(from), trial.field).slice(0, more);
    const expiries = [...expiriesOf(members, trial.field), ...soonest].sort(ascending);
    const byExpiry = compareLists(expiries, incumbent.expiries);
    if (byExpiry !== 0) return byExpiry > 0;
    return this.#losesByMembers(from, members, more, incumbent);
  }

  /** The fewest coupons with which an amount can be reached, however many automatic promotions help. */
  #couponsNeeded(from: number, wantedMinor: number): number {
    const { slotsLeft, field } = this.#trial;
    this.#measure(from, true);
    const { counted } = this.#sumOfContested(true, slotsLeft);
    const automatic = this.#sumOfContested(true, 0).sum;
    let reached = this.#freeMinor + automatic + this.#slackOf(counted);
    let coupons = 0;
    this.#turn += 1;
    for (let rank = 0; reached < wantedMinor && rank < this.#contestedCount; rank += 1) {
      const at = this.#contested[rank] ?? 0;
      if (field.takesSlot[at] === 0 || this.#isCliqueCounted(at)) continue;
      coupons += 1;
      reached += this.#gains[at] ?? 0;
    }
    return reached < wantedMinor ? Infinity : coupons;
  }

  #losesByMembers(from: number, members: readonly number[], coupons: number, incumbent: Incumbent): boolean {
    const { field } = this.#trial;
    const more = Math.max(coupons, this.#membersNeeded(from, incumbent.savedMinor));
    const size = members.length + more;
    if (size !== incumbent.members.length) return size > incumbent.members.length;
    const lowest = keyRanksOf(this.#openNumbers(from), field).slice(0, more);
    const ranks = [...keyRanksOf(members, field), ...lowest].sort(ascending);
    return compareLists(ranks, incumbent.keyRanks) >= 0;
  }

  /** The fewest candidates whose discounts alone could make up what is missing to an amount. */
  #membersNeeded(from: number, wantedMinor: number): number {
    const { field, tally } = this.#trial;
    let missing = wantedMinor - tally.savedMinor;
    let members = 0;
    for (const at of field.byMostOff) {
      if (missing <= 0) break;
      if (at < from || !this.#trial.isOpen(at)) continue;
      members += 1;
      missing -= field.mostOff[at] ?? 0;
    }
    return missing > 0 ? Infinity : members;
  }

  #openNumbers(from: number): number[] {
    const open: number[] = [];
    for (let at = from; at < this.#gains.length; at += 1) if (this.#trial.isOpen(at)) open.push(at);
    return open;
  }
}
