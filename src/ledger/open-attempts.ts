/**
 * An attempt that got no answer may still land, and until it cannot any more a refusal of the next one is not the last word. So
 * each attempt has a deadline of its own, and whoever is refused before that has passed waits for it and is asked about again
 * (LEDGER rule 3).
 */
import type { ServerClock } from './server-clock.ts';

/** What is attempted. */
export interface Attempted {
  /** By the server's clock, ms: until then an attempt that got no answer may still land. 0 = there is none. */
  unknownUntilMs: number;
}

/** What is needed to tell when an attempt is over. */
export interface OpenAttemptsPorts<Item> {
  /** Longest wait for a reply, ms: an attempt that lands later is of no use. */
  readonly attemptMs: number;
  readonly clock: ServerClock;
  nowMs(): number;
  /** Takes an item back that may be attempted again. */
  putBack(item: Item): void;
}

/** A reply that something was not carried out. */
export interface NotDone {
  /** Until when the caller wants an answer, ms of our clock. */
  readonly deadlineMs: number;
  /** The deadline it was sent with had passed. */
  readonly isLate: boolean;
  /** When that was decided, by the server's clock, ms. */
  readonly serverNowMs: number;
}

/** Those that wait because an earlier attempt of theirs may still land. */
export class OpenAttempts<Item extends Attempted> {
  private readonly ports: OpenAttemptsPorts<Item>;
  private readonly held = new Set<Item>();

  constructor(ports: OpenAttemptsPorts<Item>) {
    this.ports = ports;
  }

  /** Who waits. */
  get items(): ReadonlySet<Item> {
    return this.held;
  }

  /** By the server's clock, ms: an attempt that begins now lands by then or not at all. */
  endMs(): number {
    const { nowMs, clock, attemptMs } = this.ports;
    return nowMs() + clock.leastOffsetMs + attemptMs;
  }

  /** No answer came to an attempt that ends at `endMs`. */
  lost(items: readonly Item[], endMs: number): void {
    for (const item of items) item.unknownUntilMs = endMs;
  }

  /**
   * Holds an item back when its refusal does not count yet, because an earlier attempt may still land, or because only the attempt
   * was late and not its caller. False when it does count.
   */
  hold(item: Item, { deadlineMs, isLate, serverNowMs }: NotDone): boolean {
    const isCallerLate = deadlineMs + this.ports.clock.leastOffsetMs < serverNowMs;
    if (item.unknownUntilMs < serverNowMs && (!isLate || isCallerLate)) return false;
    this.held.add(item);
    const waitMs = Math.max(0, item.unknownUntilMs - serverNowMs) + 1;
    const timer = setTimeout(() => {
      this.held.delete(item);
      this.ports.putBack(item);
    }, waitMs);
    // Where a clock was set back this is far ahead: no process stays for it.
    timer.unref();
    return true;
  }
}
