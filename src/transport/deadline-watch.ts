/** Ends those whose deadline passes, with one timer for all: a timer per request costs as much as reading it. */

/** What `watchedAt` says of one that is not watched. */
export const NOT_WATCHED = -1;

/** One that has a deadline. */
export interface Expiring {
  /** Local epoch milliseconds. */
  readonly deadlineMs: number;
  /** Its place among the watched, for the watch alone; `NOT_WATCHED` at first. */
  watchedAt: number;
  /** The deadline passed. */
  expire(): void;
}

/**
 * Watches over deadlines. Who is watched stands in a plain array: the tables of a Set that is added to and deleted from at every
 * call make calls outlive many scavenges (see `stream-table.ts`).
 */
export class DeadlineWatch {
  private readonly nowMs: () => number;
  private readonly watched: Expiring[] = [];
  private timer: NodeJS.Timeout | undefined;
  private wakesAtMs = Number.POSITIVE_INFINITY;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  /** Watches one until `forget`. */
  watch(one: Expiring): void {
    one.watchedAt = this.watched.length;
    this.watched.push(one);
    if (one.deadlineMs < this.wakesAtMs) this.wakeAt(one.deadlineMs);
  }

  /** Its deadline does not matter any more; nothing happens when it is not watched. */
  forget(one: Expiring): void {
    const place = one.watchedAt;
    if (place === NOT_WATCHED) return;
    one.watchedAt = NOT_WATCHED;
    const last = this.watched.pop();
    if (last === undefined || last === one) return;
    this.watched[place] = last;
    last.watchedAt = place;
  }

  private wakeAt(timeMs: number): void {
    clearTimeout(this.timer);
    this.wakesAtMs = timeMs;
    this.timer = setTimeout(() => this.sweep(), Math.max(0, timeMs - this.nowMs()));
    this.timer.unref();
  }

  private sweep(): void {
    const nowMs = this.nowMs();
    const late = this.watched.filter(({ deadlineMs }) => deadlineMs <= nowMs);
    for (const one of late) this.forget(one);
    this.wakesAtMs = Number.POSITIVE_INFINITY;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.watched) nextMs = Math.min(nextMs, deadlineMs);
    if (this.watched.length > 0) this.wakeAt(nextMs);
    for (const one of late) one.expire();
  }
}
