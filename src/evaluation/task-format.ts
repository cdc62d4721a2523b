/**
 * A batch of items as one array of bytes, so that a task costs one copy and no object is cloned. All numbers are little endian.
 *
 * | Bytes | Meaning of one frame |
 * |---|---|
 * | 4 | length of the rest of the frame |
 * | 1 | kind |
 * | 1 | flags: bit 0 facts are believed, bit 1 there are live inputs |
 * | 8 | now, epoch milliseconds as a double |
 * | 4 + n | request |
 * | 4 + n | wallet |
 * | 2 | number of bodies, then for each 4 + n |
 * | 2 | number of versions looked up, then for each 4 ref and 4 version |
 * | 3 × (4 + n) | only with live inputs: facts, limits, codes |
 */
import {
  EVALUATION_KINDS,
  type EvaluationItem,
  type EvaluationKind,
  type LiveInputs,
} from './pending-evaluation.ts';

const FACTS_FLAG = 1;
const LIVE_FLAG = 2;
const LENGTH_BYTES = 4;
const FIXED_BYTES = 1 + 1 + 8 + LENGTH_BYTES + LENGTH_BYTES + 2 + 2;
const NAME_BYTES = 8;

const KIND_NUMBERS = new Map(EVALUATION_KINDS.map((kind, number) => [kind, number]));

/** Bytes of an item in a batch. */
export function frameBytes({ request, wallet, bodies, lookedUp, live }: EvaluationItem): number {
  let bytes = LENGTH_BYTES + FIXED_BYTES + request.length + wallet.length + lookedUp.length * NAME_BYTES;
  for (const body of bodies) bytes += LENGTH_BYTES + body.length;
  if (live !== undefined) {
    bytes += 3 * LENGTH_BYTES + live.facts.length + live.limits.length + live.codes.length;
  }
  return bytes;
}

/** Appends to a buffer that is large enough. */
class Writer {
  private readonly buffer: Buffer;
  private position = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  byte(value: number): void {
    this.buffer[this.position] = value;
    this.position += 1;
  }

  count(value: number): void {
    this.position = this.buffer.writeUInt16LE(value, this.position);
  }

  number(value: number): void {
    this.position = this.buffer.writeUInt32LE(value, this.position);
  }

  double(value: number): void {
    this.position = this.buffer.writeDoubleLE(value, this.position);
  }

  bytes(value: Uint8Array): void {
    this.number(value.length);
    this.buffer.set(value, this.position);
    this.position += value.length;
  }
}

function writeItem(writer: Writer, item: EvaluationItem): void {
  writer.number(frameBytes(item) - LENGTH_BYTES);
  writer.byte(KIND_NUMBERS.get(item.kind) ?? 0);
  writer.byte((item.areFactsBelieved ? FACTS_FLAG : 0) | (item.live === undefined ? 0 : LIVE_FLAG));
  writer.double(item.nowMs);
  writer.bytes(item.request);
  writer.bytes(item.wallet);
  writer.count(item.bodies.length);
  for (const body of item.bodies) writer.bytes(body);
  writer.count(item.lookedUp.length);
  for (const { ref, version } of item.lookedUp) {
    writer.number(ref);
    writer.number(version);
  }
  if (item.live === undefined) return;
  writer.bytes(item.live.facts);
  writer.bytes(item.live.limits);
  writer.bytes(item.live.codes);
}

/** A batch in memory of its own, which may be transferred. */
export function encodeTask(items: readonly EvaluationItem[]): Buffer<ArrayBuffer> {
  const buffer = Buffer.allocUnsafeSlow(items.reduce((sum, item) => sum + frameBytes(item), 0));
  const writer = new Writer(buffer);
  for (const item of items) writeItem(writer, item);
  return buffer;
}

/** Reads what {@link Writer} wrote. */
class Reader {
  private readonly buffer: Buffer;
  private position = 0;

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.position >= this.buffer.length;
  }

  byte(): number {
    return this.buffer[this.position++] ?? 0;
  }

  count(): number {
    this.position += 2;
    return this.buffer.readUInt16LE(this.position - 2);
  }

  number(): number {
    this.position += 4;
    return this.buffer.readUInt32LE(this.position - 4);
  }

  double(): number {
    this.position += 8;
    return this.buffer.readDoubleLE(this.position - 8);
  }

  bytes(): Uint8Array {
    const length = this.number();
    this.position += length;
    return this.buffer.subarray(this.position - length, this.position);
  }

  list<Element>(read: () => Element): Element[] {
    return Array.from({ length: this.count() }, read);
  }
}

function kindOf(number: number): EvaluationKind {
  const kind = EVALUATION_KINDS[number];
  if (kind === undefined) throw new Error(`no kind of evaluation has the number ${number}`);
  return kind;
}

function readItem(reader: Reader): EvaluationItem {
  reader.number();
  const kind = kindOf(reader.byte());
  const flags = reader.byte();
  const item = {
    kind,
    areFactsBelieved: (flags & FACTS_FLAG) !== 0,
    nowMs: reader.double(),
    request: reader.bytes(),
    wallet: reader.bytes(),
    bodies: reader.list(() => reader.bytes()),
    lookedUp: reader.list(() => ({ ref: reader.number(), version: reader.number() })),
  };
  return (flags & LIVE_FLAG) === 0 ? item : { ...item, live: readLive(reader) };
}

function readLive(reader: Reader): LiveInputs {
  return { facts: reader.bytes(), limits: reader.bytes(), codes: reader.bytes() };
}

/** The items of a batch; their bytes are views of it. */
export function decodeTask(task: Uint8Array): EvaluationItem[] {
  const reader = new Reader(task);
  const items: EvaluationItem[] = [];
  while (!reader.isAtEnd) items.push(readItem(reader));
  return items;
}
