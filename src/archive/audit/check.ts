/** What one check found. */
export interface CheckResult {
  /** The invariant, as DESIGN numbers them; `Q` is the quarantine, `S` staff's audit log. */
  readonly id: string;
  readonly title: string;
  /** How many of what were examined. */
  readonly figures: Readonly<Record<string, number>>;
  readonly breachCount: number;
  /** The first breaches, in words. */
  readonly breaches: readonly string[];
  /** What a reader must know to judge the figures. */
  readonly notes: readonly string[];
}

/** Breaches told in words; the count goes on beyond. */
const SHOWN_BREACHES = 20;

/** Collects what one check examines and finds. */
export class Check {
  private readonly id: string;
  private readonly title: string;
  private readonly figures = new Map<string, number>();
  private readonly breaches: string[] = [];
  private readonly notes: string[] = [];
  private breachCount = 0;

  constructor(id: string, title: string, figures: readonly string[]) {
    this.id = id;
    this.title = title;
    for (const figure of figures) this.figures.set(figure, 0);
  }

  /** Adds to a figure. */
  count(figure: string, amount = 1): void {
    this.figures.set(figure, (this.figures.get(figure) ?? 0) + amount);
  }

  /** Notes a breach of the invariant. */
  breach(what: string): void {
    this.breachCount += 1;
    if (this.breaches.length < SHOWN_BREACHES) this.breaches.push(what);
  }

  /** Notes a breach unless the condition holds. */
  require(holds: boolean, what: () => string): void {
    if (!holds) this.breach(what());
  }

  /** Adds a remark to the report. */
  note(remark: string): void {
    this.notes.push(remark);
  }

  result(): CheckResult {
    const { id, title, breachCount, breaches, notes } = this;
    return { id, title, figures: Object.fromEntries(this.figures), breachCount, breaches, notes };
  }
}
