import type { Field } from './field.ts';
import type { Trial } from './trial.ts';

/** The best set found so far, with its rank. Lists are sorted, the smallest first. */
export class Incumbent {
  readonly #field: Field;
  members: readonly number[] = [];
  savedMinor = 0;
  giftUnits = 0;
  bonusPoints = 0;
  expiries: readonly number[] = [];
  #keyRanks: readonly number[] | undefined;
  #isSet = false;

  constructor(field: Field) {
    this.#field = field;
  }

  /** Slot takers of the set. */
  get takers(): number {
    return this.expiries.length;
  }

  /** Ranks of the members' keys. */
  get keyRanks(): readonly number[] {
    this.#keyRanks ??= keyRanksOf(this.members, this.#field);
    return this.#keyRanks;
  }

  /** Whether any set was found; without mandatory candidates the empty one always is. */
  get isSet(): boolean {
    return this.#isSet;
  }

  /** Takes a legal set over if it ranks before the present one. */
  consider(trial: Trial): void {
    if (this.#isSet && this.compare(trial) >= 0) return;
    const { tally } = trial;
    this.members = [...trial.members.subarray(0, trial.size)];
    this.savedMinor = tally.savedMinor;
    this.giftUnits = tally.giftUnits;
    this.bonusPoints = tally.bonusPoints;
    this.expiries = expiriesOf(this.members, this.#field);
    this.#keyRanks = undefined;
    this.#isSet = true;
  }

  /** Negative when the set on trial ranks before this one. */
  compare(trial: Trial): number {
    const { tally } = trial;
    return (
      this.savedMinor - tally.savedMinor ||
      this.giftUnits - tally.giftUnits ||
      this.bonusPoints - tally.bonusPoints ||
      trial.takers - this.takers ||
      this.#compareMembers([...trial.members.subarray(0, trial.size)])
    );
  }

  /** Whether this set ranks before another one of the same field. */
  ranksBefore(other: Incumbent): boolean {
    const difference =
      other.savedMinor - this.savedMinor ||
      other.giftUnits - this.giftUnits ||
      other.bonusPoints - this.bonusPoints ||
      this.takers - other.takers ||
      other.#compareMembers(this.members);
    return difference < 0;
  }

  #compareMembers(members: readonly number[]): number {
    return (
      compareLists(expiriesOf(members, this.#field), this.expiries) ||
      members.length - this.members.length ||
      compareLists(keyRanksOf(members, this.#field), this.keyRanks)
    );
  }
}

/** Ends of the coupons among some candidates, soonest first. */
export function expiriesOf(members: readonly number[], { takesSlot, expiresAtMs }: Field): number[] {
  return members
    .filter((at) => takesSlot[at] === 1)
    .map((at) => expiresAtMs[at] ?? Infinity)
    .sort(ascending);
}

/** Ranks of the keys of some candidates, lowest first. */
export function keyRanksOf(members: readonly number[], { keyRanks }: Field): number[] {
  const ranks = keyRanks();
  return members.map((at) => ranks[at] ?? 0).sort(ascending);
}

/** Comparator of numbers, among them `Infinity`. */
export function ascending(left: number, right: number): number {
  return left === right ? 0 : left - right;
}

/** Position by position; of lists of one length. */
export function compareLists(left: readonly number[], right: readonly number[]): number {
  for (let at = 0; at < left.length; at += 1) {
    const difference = ascending(left[at] ?? 0, right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
