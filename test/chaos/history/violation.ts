/** What a checker finds: which promise is broken, in words, and what shows it. */

/** The promises, by their numbers in the documentation of reliability, and what each one says. */
export const PROMISES = {
  I1: 'no more coupons than there is stock, at every event',
  I2: 'what was granted, issued and given back adds up',
  I3: 'what was acknowledged is kept',
  I4: 'a coupon serves one order, and a request is carried out once and answers the same',
  I5: 'points are what their transactions come to, and never below zero',
  I6: 'Redis is what the events make it, and so is Postgres',
  I7: 'one gapless history without a fork',
  I8: 'nothing the archive does not have is trimmed',
  I9: 'limits and budgets hold at every event',
  I10: 'a reservation has one life: held, then used or let go',
  I11: 'only the owner of the day moves the cursor',
  I12: 'answers are honest: refused means no effect, done means an effect',
  I16: 'when faults are over everything is archived and open again',
} as const;

/** The number of a promise. */
export type PromiseName = keyof typeof PROMISES;

/** One breach. */
export interface Violation {
  readonly promise: PromiseName;
  /** What is wrong, as one short name: `oversold`, `lost-claim`. */
  readonly kind: string;
  readonly text: string;
  /** Attempts of the history that show it. */
  readonly attempts: readonly number[];
  /** Events of the log that show it. */
  readonly places: readonly Place[];
}

/** Where an event stands in the log. */
export interface Place {
  readonly generation: number;
  readonly partition: number;
  readonly seq: number;
  /** Place in the entry. */
  readonly index: number;
}

/** A place as people write it: `p0 12:3`, with the generation in front when it is not the first. */
export function placeText({ generation, partition, seq, index }: Place): string {
  const where = `p${partition} ${seq}:${index}`;
  return generation === 1 ? where : `g${generation} ${where}`;
}

/** What shows a breach; anything may be missing. */
export interface Evidence {
  readonly attempts?: readonly (number | undefined)[];
  readonly places?: readonly (Place | undefined)[];
}

/** Violations kept of one kind: the first ones tell the story, the rest are counted. */
const KEPT_OF_A_KIND = 5;

function present<Value>(values: readonly (Value | undefined)[] | undefined): Value[] {
  return (values ?? []).filter((value) => value !== undefined);
}

/** Collects what the checks find and how much they looked at. */
export class Findings {
  private readonly kept: Violation[] = [];
  private readonly breaches = new Map<string, number>();
  private readonly counts = new Map<string, number>();

  /** The violations kept, in the order they were found: the first five of each kind. */
  get violations(): readonly Violation[] {
    return this.kept;
  }

  /** How many violations of each kind there were. */
  get totals(): ReadonlyMap<string, number> {
    return this.breaches;
  }

  /** How much was looked at, by name. */
  get looked(): ReadonlyMap<string, number> {
    return this.counts;
  }

  /** Notes a breach. */
  breach(promise: PromiseName, kind: string, text: string, evidence: Evidence = {}): void {
    const total = (this.breaches.get(kind) ?? 0) + 1;
    this.breaches.set(kind, total);
    if (total > KEPT_OF_A_KIND) return;
    const [attempts, places] = [present(evidence.attempts), present(evidence.places)];
    this.kept.push({ promise, kind, text, attempts, places });
  }

  /** Counts what was looked at, so that a check that saw nothing shows. */
  count(what: string, number = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + number);
  }
}
