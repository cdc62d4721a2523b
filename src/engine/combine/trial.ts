import type { Refusal, Tally } from '../tally.ts';
import { BitRows } from './bit-rows.ts';
import type { Field } from './field.ts';

/** The set that a search has put together so far, taken apart again in reverse order. */
export class Trial {
  readonly field: Field;
  readonly tally: Tally;
  /** Members by number, in the order of application; the first `size` count. */
  readonly members: Int32Array;
  #size = 0;
  #takers = 0;
  /** Row by size: who cannot join any more. */
  readonly #blocked: BitRows;
  /** Coupons whose better twin was left out. */
  readonly #isIdleTwin: Uint8Array;

  constructor(field: Field, tally: Tally) {
    const count = field.candidates.length;
    this.field = field;
    this.tally = tally;
    this.members = new Int32Array(count);
    this.#blocked = new BitRows(count + 1, count);
    this.#isIdleTwin = new Uint8Array(count);
    if (field.slots <= 0) this.#blocked.addAll(0, field.takers, 0);
    for (const [at, flag] of field.mandatory.entries())
      if (flag === 1) this.#blocked.addAll(0, field.conflicts, at);
  }

  /** Number of members. */
  get size(): number {
    return this.#size;
  }

  /** Members that take a slot. */
  get takers(): number {
    return this.#takers;
  }

  /** Slots that are free. */
  get slotsLeft(): number {
    return this.field.slots - this.#takers;
  }

  /** Keeps a candidate out of all sets. Only while there are no members. */
  ban(at: number): void {
    this.#blocked.add(0, at);
  }

  /** Whether a candidate could join, as far as the company and the slots are concerned. */
  isOpen(at: number): boolean {
    return !this.#blocked.has(this.#size, at) && this.#isIdleTwin[at] === 0;
  }

  /** Whether the company or a lack of slots keeps a candidate out. */
  isBlocked(at: number): boolean {
    return this.#blocked.has(this.#size, at);
  }

  /** Applies an open candidate that comes after all members and makes it one, or says why it cannot be applied. */
  include(at: number): Refusal | undefined {
    const { field, tally } = this;
    const candidate = field.candidates[at];
    if (candidate === undefined) throw new RangeError(`no candidate ${at}`);
    const refusal = tally.apply(candidate);
    if (refusal !== undefined) return refusal;
    this.members[this.#size] = at;
    this.#size += 1;
    this.#takers += field.takesSlot[at] ?? 0;
    this.#blocked.copy(this.#size, this.#blocked, this.#size - 1);
    this.#blocked.addAll(this.#size, field.conflicts, at);
    if (this.slotsLeft <= 0) this.#blocked.addAll(this.#size, field.takers, 0);
    return undefined;
  }

  /** Takes the last member out. */
  removeLast(): void {
    this.#size -= 1;
    this.#takers -= this.field.takesSlot[this.members[this.#size] ?? 0] ?? 0;
    this.tally.undo();
  }

  /** Takes all members out. */
  clear(): void {
    while (this.#size > 0) this.removeLast();
  }

  /** Closes, or opens again, the twins that come after a candidate which is left out. */
  setTwinsIdle(after: number, isIdle: boolean): void {
    const { twinBefore } = this.field;
    for (let twin = after + 1; twinBefore[twin] === twin - 1; twin += 1) {
      this.#isIdleTwin[twin] = isIdle ? 1 : 0;
    }
  }
}
