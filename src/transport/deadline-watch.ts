/** Ends those whose deadline passes, with one timer for all: a timer per request costs as much as reading it. */

/** One that has a deadline. */
export interface Expiring {
  /** Local epoch milliseconds. */
  readonly deadlineMs: number;
  /** The deadline passed. */
  expire(): void;
}

/** Watches over deadlines. */
export class DeadlineWatch {
  private readonly nowMs: () => number;
  private readonly watched = new Set<Expiring>();
  private timer: NodeJS.Timeout | undefined;
  private wakesAtMs = Number.POSITIVE_INFINITY;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  /** Watches one until `forget`. */
  watch(one: Expiring): void {
    this.watched.add(one);
    if (one.deadlineMs < this.wakesAtMs) this.wakeAt(one.deadlineMs);
  }

  /** Its deadline does not matter any more. */
  forget(one: Expiring): void {
    this.watched.delete(one);
  }

  private wakeAt(timeMs: number): void {
    clearTimeout(this.timer);
    this.wakesAtMs = timeMs;
    this.timer = setTimeout(() => this.sweep(), Math.max(0, timeMs - this.nowMs()));
    this.timer.unref();
  }

  private sweep(): void {
    const nowMs = this.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const one of this.watched) {
      if (one.deadlineMs > nowMs) {
        nextMs = Math.min(nextMs, one.deadlineMs);
        continue;
      }
      this.watched.delete(one);
      one.expire();
    }
    this.wakesAtMs = Number.POSITIVE_INFINITY;
    if (nextMs < Number.POSITIVE_INFINITY) this.wakeAt(nextMs);
  }
}
