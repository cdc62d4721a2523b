import { CliqueMarks } from './clique-marks.ts';
import { ascending, compareLists, expiriesOf, type Incumbent, keyRanksOf } from './incumbent.ts';
import type { MoneyBound } from './money-bound.ts';
import type { Trial } from './trial.ts';

/**
 * The best rank, beyond what it saves, of a set that the trial can still become when the candidates before `from` are decided.
 * "Open" are those from there on that may still join.
 */
export class TieBound {
  readonly #trial: Trial;
  readonly #money: MoneyBound;
  readonly #counted: CliqueMarks;

  constructor(trial: Trial, money: MoneyBound) {
    this.#trial = trial;
    this.#money = money;
    this.#counted = new CliqueMarks(trial.field);
  }

  /**
   * Whether a set that saves as much as the incumbent at best is surely no better in the rest of the rank. Each part of the
   * rank is bounded by itself; the first that differs decides.
   */
  isLost(from: number, incumbent: Incumbent): boolean {
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

  /** The number of coupons needed is first told by what each takes off alone, and only if that does not decide by states. */
  #losesByCoupons(from: number, incumbent: Incumbent): boolean {
    const members = [...this.#trial.members.subarray(0, this.#trial.size)];
    const wanted = incumbent.savedMinor;
    const atLeast = this.#couponsNeededAlone(from, wanted);
    if (this.#losesWith(atLeast, from, members, incumbent)) return true;
    const needed = this.#money.couponsNeeded(from, wanted);
    return needed > atLeast && this.#losesWith(needed, from, members, incumbent);
  }

  /** Whether the tie is lost when so many more coupons have to be used. */
  #losesWith(more: number, from: number, members: readonly number[], incumbent: Incumbent): boolean {
    const { takers, field } = this.#trial;
    if (takers + more !== incumbent.takers) return takers + more > incumbent.takers;
    // Of sorted lists of one length the one whose added entries are the smallest is position by position the smallest.
    const soonest = expiriesOf(this.#openNumbers(from), field).slice(0, more);
    const expiries = [...expiriesOf(members, field), ...soonest].sort(ascending);
    const byExpiry = compareLists(expiries, incumbent.expiries);
    if (byExpiry !== 0) return byExpiry > 0;
    return this.#losesByMembers(from, members, more, incumbent);
  }

  /** The fewest coupons with which an amount can be reached if everything takes off what it does alone. */
  #couponsNeededAlone(from: number, wantedMinor: number): number {
    const { field, tally } = this.#trial;
    let reached = tally.savedMinor;
    let coupons = 0;
    this.#counted.clear();
    for (const isCoupon of [0, 1]) {
      for (const at of field.byMostOff) {
        if (reached >= wantedMinor) return coupons;
        const counts = at >= from && field.takesSlot[at] === isCoupon && this.#trial.isOpen(at);
        if (!counts || this.#counted.mark(at)) continue;
        coupons += isCoupon;
        reached += field.mostOff[at] ?? 0;
      }
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
    for (let at = from; at < this.#trial.field.candidates.length; at += 1)
      if (this.#trial.isOpen(at)) open.push(at);
    return open;
  }
}
