/** The way from one process to a store: how long things take, and what goes wrong with the calls a schedule names. */
import type { Random } from '../time/random.ts';

/** What can become of one call. Times in milliseconds. */
export type CallFate =
  /** It never arrives, and nobody says so. */
  | 'drop-request'
  /** It is carried out; the connection breaks before the answer arrives. */
  | 'drop-reply'
  /** It arrives and is carried out long after its caller has given up. */
  | 'late'
  /** It arrives twice, the second time later. */
  | 'duplicate'
  /** The process dies as it sends it. */
  | 'crash-before'
  /** The process dies when it was carried out. */
  | 'crash-after'
  /** It takes its time. */
  | 'slow';

/** A call that something happens to: the `call`-th (0 …) of its process. */
export interface CallFault {
  readonly call: number;
  readonly fate: CallFate;
  readonly forMs: number;
}

/** See the module's comment. */
export class Link {
  private readonly random: Random;
  private readonly faults: ReadonlyMap<number, CallFault>;
  private readonly crash: () => void;
  private calls = 0;

  /** @param crash ends the process at once */
  constructor(random: Random, faults: readonly CallFault[], crash: () => void) {
    this.random = random;
    this.faults = new Map(faults.map((fault) => [fault.call, fault]));
    this.crash = crash;
  }

  /** What becomes of the next call; undefined: nothing special. */
  next(): CallFault | undefined {
    const fault = this.faults.get(this.calls);
    this.calls += 1;
    return fault;
  }

  /** How long one way takes. */
  delayMs(): number {
    const isSlow = this.random.chance(0.02);
    return isSlow ? this.random.next() * 20 : 0.05 + this.random.next() * 0.8;
  }

  /** Ends the process. */
  die(): void {
    this.crash();
  }
}
