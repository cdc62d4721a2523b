/**
 * The server's clock as its replies tell it, for everything one process sends: a deadline has to mean the same to every script,
 * also to that of a process which only ever sends one kind of them.
 *
 * A reply tells bounds, not a figure: the script ran some time between the call and its answer. Bounds of several replies are
 * put together, so one slow reply spoils nothing; when they contradict each other a clock was set, and the last one counts.
 */
export class ServerClock {
  private least = 0;
  private most = 0;
  private heardAt = Number.NEGATIVE_INFINITY;

  /** The server's clock minus ours, in ms, as near as is known; 0 before the first reply. */
  get offsetMs(): number {
    return (this.least + this.most) / 2;
  }

  /**
   * The least that the server's clock minus ours can be, in ms. Deadlines are told by it: an attempt that was given up must not
   * land because its deadline was taken for a later one.
   */
  get leastOffsetMs(): number {
    return this.least;
  }

  /** When it was last heard from, by our clock. */
  get heardAtMs(): number {
    return this.heardAt;
  }

  /** Learns from a reply: the script ran between the call (`sentAtMs` by our clock) and its answer. Clocks tell whole milliseconds. */
  learn(serverNowMs: number, sentAtMs: number, tookMs: number): void {
    const least = serverNowMs - (sentAtMs + 1 + tookMs);
    const most = serverNowMs + 1 - sentAtMs;
    const isFirst = this.heardAt === Number.NEGATIVE_INFINITY;
    const isConsistent = !isFirst && least <= this.most && most >= this.least;
    this.least = isConsistent ? Math.max(this.least, least) : least;
    this.most = isConsistent ? Math.min(this.most, most) : most;
    this.heardAt = sentAtMs;
  }
}
