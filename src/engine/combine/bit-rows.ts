/** Sets of candidates as bits, one row of words per set: 40 candidates are two words, and a test of overlap two steps. */

/** Bits in a word. */
const WORD_BITS = 32;

/** Rows of bits, all of one length. */
export class BitRows {
  readonly words: number;
  readonly bits: Uint32Array;

  constructor(rows: number, length: number) {
    this.words = Math.max(1, Math.ceil(length / WORD_BITS));
    this.bits = new Uint32Array(rows * this.words);
  }

  /** Adds a bit to a row. */
  add(row: number, bit: number): void {
    const at = row * this.words + (bit >>> 5);
    this.bits[at] = (this.bits[at] ?? 0) | (1 << (bit & 31));
  }

  /** Whether a row has a bit. */
  has(row: number, bit: number): boolean {
    return (((this.bits[row * this.words + (bit >>> 5)] ?? 0) >>> (bit & 31)) & 1) === 1;
  }

  /** Whether a row and a row of another table of the same length have a bit in common. */
  overlaps(row: number, other: BitRows, otherRow: number): boolean {
    const { words } = this;
    for (let word = 0; word < words; word += 1) {
      const mine = this.bits[row * words + word] ?? 0;
      if ((mine & (other.bits[otherRow * words + word] ?? 0)) !== 0) return true;
    }
    return false;
  }

  /** Whether a row has no bit. */
  isEmpty(row: number): boolean {
    for (let word = 0; word < this.words; word += 1) {
      if (this.bits[row * this.words + word] !== 0) return false;
    }
    return true;
  }

  /** Makes a row equal to a row of another table of the same length. */
  copy(row: number, from: BitRows, fromRow: number): void {
    for (let word = 0; word < this.words; word += 1) {
      this.bits[row * this.words + word] = from.bits[fromRow * this.words + word] ?? 0;
    }
  }

  /** Adds the bits of a row of another table of the same length. */
  addAll(row: number, from: BitRows, fromRow: number): void {
    for (let word = 0; word < this.words; word += 1) {
      const at = row * this.words + word;
      this.bits[at] = (this.bits[at] ?? 0) | (from.bits[fromRow * this.words + word] ?? 0);
    }
  }
}
