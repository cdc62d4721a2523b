/**
 * The rule set on its way to the workers: a log in shared memory that the main thread appends to and every worker reads. So
 * 100,000 promotions are held once however many workers there are, nothing is sent, and a new worker catches up by itself.
 *
 * The memory begins with one 32-bit word, the end of what is published, and 12 reserved bytes. Entries follow, little endian:
 *
 * | Bytes | Meaning |
 * |---|---|
 * | 4 | length of the body |
 * | 4 | ref of the promotion |
 * | 8 | rule-set version after this change, as a double |
 * | 1 | 1 when the promotion is deleted |
 * | n | hongbao.v1.Promotion, as stored |
 */
import type { RuleSetChange } from '../domain/rule-set-change.ts';
import { RULE_LOG_BYTES, RULE_LOG_FIRST_BYTES } from './limits.ts';

const START = 16;
const HEAD_BYTES = 17;
const END_WORD = 0;

function viewOf(memory: SharedArrayBuffer): { view: DataView; end: Int32Array; bytes: Uint8Array } {
  return { view: new DataView(memory), end: new Int32Array(memory, 0, 1), bytes: new Uint8Array(memory) };
}

/** The writing side. Only one thread may hold it. */
export class RuleLog {
  readonly memory: SharedArrayBuffer;
  private readonly view: DataView;
  private readonly end: Int32Array;
  private readonly bytes: Uint8Array;
  private written = START;

  constructor() {
    this.memory = new SharedArrayBuffer(RULE_LOG_FIRST_BYTES, { maxByteLength: RULE_LOG_BYTES });
    const { view, end, bytes } = viewOf(this.memory);
    this.view = view;
    this.end = end;
    this.bytes = bytes;
    Atomics.store(this.end, END_WORD, START);
  }

  /** Bytes written. */
  get size(): number {
    return this.written;
  }

  /** Writes a change that readers do not see yet. Gives its bytes in the log. Throws RangeError when the log is full. */
  append({ ref, ruleSetVersion, isDeleted, body }: RuleSetChange): number {
    const size = HEAD_BYTES + body.length;
    this.reserve(size);
    const at = this.written;
    this.view.setUint32(at, body.length, true);
    this.view.setUint32(at + 4, ref, true);
    this.view.setFloat64(at + 8, ruleSetVersion, true);
    this.view.setUint8(at + 16, isDeleted ? 1 : 0);
    this.bytes.set(body, at + HEAD_BYTES);
    this.written = at + size;
    return size;
  }

  /** Shows readers everything written so far and wakes those that wait. */
  publish(): void {
    Atomics.store(this.end, END_WORD, this.written);
    Atomics.notify(this.end, END_WORD);
  }

  private reserve(size: number): void {
    const needed = this.written + size;
    if (needed <= this.memory.byteLength) return;
    if (needed > RULE_LOG_BYTES) throw new RangeError('the log of rules is full');
    this.memory.grow(Math.min(Math.max(needed, this.memory.byteLength * 2), RULE_LOG_BYTES));
  }
}

/** A reading side; each worker has its own. */
export class RuleLogReader {
  private readonly view: DataView;
  private readonly end: Int32Array;
  private readonly bytes: Uint8Array;
  private position = START;

  constructor(memory: SharedArrayBuffer) {
    const { view, end, bytes } = viewOf(memory);
    this.view = view;
    this.end = end;
    this.bytes = bytes;
  }

  /** Whether there are changes that were not read. */
  get isBehind(): boolean {
    return this.position < Atomics.load(this.end, END_WORD);
  }

  /** The next `limit` changes, fewer at the end. Bodies are copies. */
  read(limit: number): RuleSetChange[] {
    const end = Atomics.load(this.end, END_WORD);
    const changes: RuleSetChange[] = [];
    while (this.position < end && changes.length < limit) changes.push(this.next());
    return changes;
  }

  /** Resolves when there are changes that were not read. Does not keep the thread alive. */
  async untilBehind(): Promise<void> {
    while (!this.isBehind) await Atomics.waitAsync(this.end, END_WORD, this.position).value;
  }

  private next(): RuleSetChange {
    const at = this.position;
    const start = at + HEAD_BYTES;
    this.position = start + this.view.getUint32(at, true);
    return {
      ref: this.view.getUint32(at + 4, true),
      ruleSetVersion: this.view.getFloat64(at + 8, true),
      isDeleted: this.view.getUint8(at + 16) === 1,
      body: this.bytes.slice(start, this.position),
    };
  }
}
