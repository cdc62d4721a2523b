/** What happens to bytes on their way through a proxy, as far as all its connections share it. */
import type { Direction } from './link.ts';

/** Makes every parcel late. Times in milliseconds. */
export interface Slowness {
  /** Added to every parcel. */
  readonly delayMs: number;
  /** Added at most, by chance. */
  readonly jitterMs: number;
  /** Bytes per second of all connections together; absent = as many as there are. */
  readonly bytesPerSecond?: number;
}

/** The state every connection of a proxy asks. */
export class Weather {
  private readonly random: () => number;
  private lossesLeft = 0;
  private slowness: Slowness | undefined;
  private lineFreeAtMs = 0;
  private readonly held = new Set<Direction>();
  /** Replies lost since the start. */
  lost = 0;
  /** Called whenever a parcel waits because its direction is held. */
  onHeld: (direction: Direction) => void = () => undefined;

  constructor(random: () => number) {
    this.random = random;
  }

  /** The next `times` replies are swallowed, and their connections reset. */
  lose(times: number): void {
    this.lossesLeft = times;
  }

  /** Whether the reply at hand is one of those. */
  takeLoss(): boolean {
    if (this.lossesLeft === 0) return false;
    this.lossesLeft -= 1;
    this.lost += 1;
    return true;
  }

  /** Slows everything down from now on; undefined ends it. */
  slow(slowness: Slowness | undefined): void {
    this.slowness = slowness;
    this.lineFreeAtMs = 0;
  }

  /** How much later than now a parcel of so many bytes arrives. */
  delayMs(bytes: number): number {
    if (this.slowness === undefined) return 0;
    const { delayMs, jitterMs, bytesPerSecond } = this.slowness;
    const nowMs = Date.now();
    const transferMs = bytesPerSecond === undefined ? 0 : (bytes / bytesPerSecond) * 1_000;
    this.lineFreeAtMs = Math.max(this.lineFreeAtMs, nowMs) + transferMs;
    return this.lineFreeAtMs - nowMs + delayMs + this.random() * jitterMs;
  }

  /** Keeps this direction back, or lets it go on. */
  hold(direction: Direction, isHeld: boolean): void {
    if (isHeld) this.held.add(direction);
    else this.held.delete(direction);
  }

  /** Whether this direction is kept back. */
  isHeld(direction: Direction): boolean {
    return this.held.has(direction);
  }
}
