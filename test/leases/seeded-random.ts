/** Random numbers that are the same for the same seed. */
export class SeededRandom {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed + 1, 0x9e_37_79_b1) >>> 0;
  }

  /** The next one, 0 (included) to 1. */
  next(): number {
    this.state = (this.state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_00_00_00_00;
  }

  /** A whole number from 0 up to `below`, not included. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** True so often out of 1. */
  chance(share: number): boolean {
    return this.next() < share;
  }
}
