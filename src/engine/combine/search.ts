import type { Tally } from '../tally.ts';
import type { Field } from './field.ts';
import { ascending, Incumbent } from './incumbent.ts';
import { SureGains } from './sure-gain.ts';
import { Trial } from './trial.ts';
import { UpperBound } from './upper-bound.ts';

/** What a search found. */
export interface SearchResult {
  readonly incumbent: Incumbent;
  /** False when it stopped early: the set is legal, but there may be a better one. */
  readonly isProven: boolean;
}

/**
 * Finds the best set: depth first in the order of application, each candidate first with, then without, so that a step costs
 * one application. A branch is left when no set in it can rank before the best one known ({@link UpperBound}), and when all
 * sets in it could be made better by adding a candidate they leave out ({@link SureGains}).
 */
export class Search {
  readonly #field: Field;
  readonly #trial: Trial;
  readonly #bound: UpperBound;
  readonly #sureGains: SureGains;
  readonly #incumbent: Incumbent;
  readonly #maxApplications: number;
  readonly #areSlotsScarce: boolean;
  readonly #hasConflicts: boolean;
  /** Candidates that were left out although they surely make a set better; each waits for somebody it conflicts with. */
  readonly #passedOver: number[] = [];
  #isStopped = false;
  /** Applications of its own; those that bounds tried come on top. */
  #included = 0;

  constructor(field: Field, tally: Tally, maxApplications: number) {
    this.#field = field;
    this.#trial = new Trial(field, tally);
    this.#bound = new UpperBound(this.#trial);
    this.#sureGains = new SureGains(field, tally.left.length);
    this.#incumbent = new Incumbent(field);
    this.#maxApplications = maxApplications;
    this.#areSlotsScarce = field.takesSlot.reduce((sum, flag) => sum + flag, 0) > field.slots;
    this.#hasConflicts = field.conflicts.bits.some((word) => word !== 0);
  }

  /** Applications tried so far, for bounds as well. */
  get applications(): number {
    return this.#included + this.#bound.applications;
  }

  /** Runs the search once. */
  run(): SearchResult {
    this.#tryLoners();
    this.#tryFirstGuess();
    this.#visit(0, true);
    this.#trial.clear();
    return { incumbent: this.#incumbent, isProven: !this.#isStopped };
  }

  /** Whoever combines with nobody is a set of his own; the rest is searched without him. */
  #tryLoners(): void {
    const { candidates, mandatory } = this.#field;
    for (const [at, { promotion }] of candidates.entries()) {
      if (!promotion.stacking.isAlone) continue;
      const isEnough = mandatory.every((flag, other) => flag === 0 || other === at);
      if (isEnough && this.#trial.isOpen(at) && this.#trial.include(at) === undefined) {
        this.#incumbent.consider(this.#trial);
        this.#trial.removeLast();
      }
      this.#trial.ban(at);
    }
  }

  /**
   * A good set to start from: by what each takes off alone, the largest first, as far as they go together. Where nobody
   * has to be chosen among others the search starts with that set anyway.
   */
  #tryFirstGuess(): void {
    const { byMostOff, mandatory } = this.#field;
    if (!this.#areSlotsScarce && !this.#hasConflicts) return;
    const picked: number[] = [];
    for (const at of byMostOff) if (mandatory[at] === 1) this.#pick(at, picked);
    for (const at of byMostOff) this.#pick(at, picked);
    let isLegal = true;
    for (const at of picked.sort(ascending)) {
      if (this.#trial.include(at) !== undefined && mandatory[at] === 1) isLegal = false;
    }
    if (isLegal) this.#incumbent.consider(this.#trial);
    this.#trial.clear();
  }

  #pick(at: number, picked: number[]): void {
    const { conflicts, takesSlot, slots } = this.#field;
    if (!this.#trial.isOpen(at) || picked.includes(at)) return;
    let takers = 0;
    for (const one of picked) {
      if (conflicts.has(one, at)) return;
      takers += takesSlot[one] ?? 0;
    }
    if (takesSlot[at] === 0 || takers < slots) picked.push(at);
  }

  /** Decides about the candidates from `from` on; `isChanged` says that a bound may be lower than when it was last asked. */
  #visit(from: number, isChanged: boolean): void {
    const at = this.#nextOpen(from);
    if (!this.#isExcused(at)) return;
    if (at === this.#field.candidates.length) {
      this.#finish();
      return;
    }
    if (isChanged && this.#bound.isHopeless(at, this.#incumbent)) return;
    if (this.applications > this.#maxApplications) this.#isStopped = true;
    if (this.#isStopped) return;
    const refusal = this.#trial.include(at);
    this.#included += 1;
    const isMissed = refusal === undefined && this.#visitWith(at);
    if (this.#field.mandatory[at] === 1) return;
    this.#visitWithout(at, isMissed, refusal !== 'GIVES_NOTHING');
  }

  #nextOpen(from: number): number {
    let at = from;
    while (at < this.#field.candidates.length && !this.#trial.isOpen(at)) at += 1;
    return at;
  }

  #finish(): void {
    const { mandatory } = this.#field;
    const members = this.#trial.members.subarray(0, this.#trial.size);
    if (mandatory.every((flag, at) => flag === 0 || members.includes(at)))
      this.#incumbent.consider(this.#trial);
  }

  /** Goes on with the member just included; answers whether sets without it are surely worse. */
  #visitWith(at: number): boolean {
    const { itemsOffMinor, shippingOffMinor } = this.#trial.tally.lastTried;
    const offMinor = itemsOffMinor + shippingOffMinor;
    const isSure = offMinor === 0 || this.#sureGains.isSure(at, offMinor);
    // A member that leaves everybody else as free as before does not lower any bound.
    const takesFromOthers = this.#areSlotsScarce && this.#field.takesSlot[at] === 1;
    this.#visit(at + 1, takesFromOthers || !this.#field.conflicts.isEmpty(at));
    this.#trial.removeLast();
    return isSure;
  }

  #visitWithout(at: number, isMissed: boolean, isChanged: boolean): void {
    if (isMissed) this.#passedOver.push(at);
    this.#trial.setTwinsIdle(at, true);
    this.#visit(at + 1, isChanged);
    this.#trial.setTwinsIdle(at, false);
    if (isMissed) this.#passedOver.pop();
  }

  /**
   * Whether everybody who was passed over has, or may still get, a reason: a member he conflicts with, or slots that are all
   * taken. Otherwise adding him makes every set that can still come better, so none of them is the best one.
   */
  #isExcused(from: number): boolean {
    return this.#passedOver.every((at) => this.#trial.isBlocked(at) || this.#canBeBlocked(at, from));
  }

  #canBeBlocked(at: number, from: number): boolean {
    const { conflicts, takesSlot } = this.#field;
    let takers = 0;
    for (let other = from; other < takesSlot.length; other += 1) {
      if (!this.#trial.isOpen(other)) continue;
      if (conflicts.has(at, other)) return true;
      takers += takesSlot[other] ?? 0;
    }
    return takesSlot[at] === 1 && takers >= this.#trial.slotsLeft;
  }
}
