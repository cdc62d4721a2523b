import type { Incumbent } from './incumbent.ts';
import { MoneyBound } from './money-bound.ts';
import { TieBound } from './tie-bound.ts';
import type { Trial } from './trial.ts';

/** Bounds the rank of what the set on trial can still become: what it saves first, the rest only where that ties. */
export class UpperBound {
  readonly #money: MoneyBound;
  readonly #tie: TieBound;

  constructor(trial: Trial) {
    this.#money = new MoneyBound(trial);
    this.#tie = new TieBound(trial, this.#money);
  }

  /** Applications tried so far for bounds. */
  get applications(): number {
    return this.#money.applications;
  }

  /** Whether no set that the trial can still become, when the candidates before `from` are decided, ranks before the incumbent. */
  isHopeless(from: number, incumbent: Incumbent): boolean {
    if (!incumbent.isSet) return false;
    const wanted = incumbent.savedMinor;
    const quick = this.#money.sumOfMost(from);
    if (quick < wanted) return true;
    if (quick === wanted) return this.#tie.isLost(from, incumbent);
    const most = this.#money.mostFromHere(from);
    return most < wanted || (most === wanted && this.#tie.isLost(from, incumbent));
  }
}
