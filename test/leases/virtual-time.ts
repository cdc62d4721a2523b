/** Time that stands still while anything can still go on, and then jumps to the next thing that is to happen. */
interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
}

/** See the module's comment. */
export class VirtualTime {
  nowMs = 1_000_000;
  private readonly events: Event[] = [];
  private count = 0;

  /** Lets something happen in so many milliseconds; a negative number is now. */
  after(delayMs: number, happen: () => void): void {
    this.count += 1;
    this.events.push({ atMs: this.nowMs + Math.max(0, delayMs), order: this.count, happen });
  }

  /** Resolves in so many milliseconds. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** Runs until `work` is done. Throws when nothing is left that could happen. */
  async run<Result>(work: Promise<Result>): Promise<Result> {
    let isDone = false;
    const settled = work.finally(() => {
      isDone = true;
    });
    settled.catch(() => {});
    for (;;) {
      await new Promise(setImmediate);
      if (isDone) return await settled;
      const next = this.takeNext();
      if (next === undefined) throw new Error('nothing can happen any more');
      this.nowMs = next.atMs;
      next.happen();
    }
  }

  private takeNext(): Event | undefined {
    let at = 0;
    this.events.forEach((event, index) => {
      const first = this.events[at];
      if (first !== undefined && (event.atMs - first.atMs || event.order - first.order) < 0) at = index;
    });
    return this.events.splice(at, 1)[0];
  }
}
