/**
 * The server's clock as its replies tell it, for everything one process sends: a deadline has to mean the same to every script,
 * also to that of a process which only ever sends one kind of them.
 */
export class ServerClock {
  private offset = 0;
  private heardAt = Number.NEGATIVE_INFINITY;

  /** The server's clock minus ours, in ms, as of the last reply; 0 before the first. */
  get offsetMs(): number {
    return this.offset;
  }

  /** When it was last heard from, by our clock. */
  get heardAtMs(): number {
    return this.heardAt;
  }

  /** Learns from a reply: the script ran about half way between the call (`sentAtMs` by our clock) and its answer. */
  learn(serverNowMs: number, sentAtMs: number, tookMs: number): void {
    this.heardAt = sentAtMs;
    this.offset = serverNowMs - (sentAtMs + tookMs / 2);
  }
}
