const VARINT = 0;
const BITS_64 = 1;
const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const BITS_32 = 5;
const MAX_VARINT_BYTES = 10;
/** No varint: it has more bytes than were looked at. */
const TOO_LONG = -1;
const TWO_TO_32 = 4_294_967_296;

/** Levels of messages and groups a message may have; the same limit as protobuf-es, so that both refuse the same bytes. */
export const MAX_DEPTH = 100;

/** A leading U+FEFF is text, not a mark; invalid UTF-8 is refused. */
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Texts kept to be shared, at most; a power of two. The last text of each place stays, so hostile texts only cost others a new one. */
const SHARED_STRINGS = 8_192;
/** Longer texts are not shared: comparing them costs as much as making them. */
const MAX_SHARED_BYTES = 32;
/** Texts of ASCII characters only; a text is as long as its bytes are many. */
const shared: string[] = Array<string>(SHARED_STRINGS).fill('');

const word = new DataView(new ArrayBuffer(8));

/** Bytes that are not an encoding of the message they should be. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';
}

/**
 * Reads the protobuf wire format, for the generated decoders of hot messages.
 *
 * It accepts and refuses exactly what protobuf-es does, lenient parts included: the wire type of a known field is not
 * compared with the field's type, and the length of a nested message may reach over the end of its parent. Tests hold
 * both to the same answers on hostile bytes.
 */
export class WireReader {
  /** Where the next read starts, in bytes. */
  position = 0;
  /** The size of the message in bytes. */
  readonly length: number;
  readonly #bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = bytes.byteLength;
  }

  /** Reads a tag: field number × 8 + wire type. */
  tag(): number {
    const first = this.#bytes[this.position] ?? 0;
    if (first >= 8 && first < 0x80 && (first & 7) <= BITS_32) {
      this.position++;
      return first;
    }
    return this.#anyTag();
  }

  #anyTag(): number {
    const start = this.position;
    const tag = this.uint32();
    const size = this.position - start;
    const overflows = size > 5 || (size === 5 && (this.#bytes[this.position - 1] ?? 0) > 0x0f);
    if (overflows || tag < 8 || (tag & 7) > BITS_32) throw new MalformedMessageError('illegal tag');
    return tag;
  }

  /** Reads a varint and keeps its low 32 bits, without sign. Also reads lengths. */
  uint32(): number {
    const first = this.#byte();
    return first < 0x80 ? first : this.#restOfUint32(first & 0x7f);
  }

  /** Reads a length and returns the position where as many bytes end; not checked against the end of the message. */
  end(): number {
    const size = this.uint32();
    return this.position + size;
  }

  /** Reads a varint and keeps its low 32 bits, with sign. Also reads enums. */
  int32(): number {
    return this.uint32() | 0;
  }

  /** Reads a 64-bit varint with sign. */
  int64(): bigint {
    this.#varint64();
    return word.getBigInt64(0);
  }

  /** Reads a 64-bit varint without sign. */
  uint64(): bigint {
    this.#varint64();
    return word.getBigUint64(0);
  }

  /** Reads a 64-bit varint with sign as the nearest number. */
  safeInt64(): number {
    const lowBits = this.#upTo28Bits();
    if (lowBits !== TOO_LONG) return lowBits;
    this.#varint64();
    return word.getInt32(0) * TWO_TO_32 + word.getUint32(4);
  }

  /** Reads a 64-bit varint without sign as the nearest number. */
  safeUint64(): number {
    const lowBits = this.#upTo28Bits();
    if (lowBits !== TOO_LONG) return lowBits;
    this.#varint64();
    return word.getUint32(0) * TWO_TO_32 + word.getUint32(4);
  }

  /** Reads a truth value; any bit of the varint makes it true. */
  bool(): boolean {
    const first = this.#bytes[this.position] ?? 0x80;
    if (first < 0x80) {
      this.position++;
      return first !== 0;
    }
    this.#varint64();
    return word.getInt32(0) !== 0 || word.getInt32(4) !== 0;
  }

  /** Reads a text. Throws on invalid UTF-8. */
  string(): string {
    const start = this.#skipSized();
    return this.#text(start, this.position);
  }

  #text(start: number, end: number): string {
    for (let at = start; at < end; at++) {
      if ((this.#bytes[at] ?? 0) > 0x7f) return decodeUtf8(this.#bytes.subarray(start, end));
    }
    return this.#bytes.toString('latin1', start, end);
  }

  /**
   * Reads a text that many messages share, such as the id of an item. One that was read before is the same string again:
   * nothing is allocated, and what looks it up in a map finds its hash computed. Throws on invalid UTF-8.
   */
  sharedString(): string {
    const start = this.#skipSized();
    const end = this.position;
    if (end - start > MAX_SHARED_BYTES) return this.#text(start, end);
    const bytes = this.#bytes;
    let hash = 0;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
    const place = (hash ^ (hash >>> 15)) & (SHARED_STRINGS - 1);
    const known = shared[place] ?? '';
    if (isText(bytes, start, end, known)) return known;
    const text = this.#text(start, end);
    if (text.length === end - start) shared[place] = text;
    return text;
  }

  /** Reads bytes, as a view of the message. */
  bytes(): Uint8Array {
    const start = this.#skipSized();
    return this.#bytes.subarray(start, this.position);
  }

  /**
   * Passes over a field that is not known.
   *
   * @param tag the field's tag, already read
   * @param depth the level of the message the field stands in; 1 is the outermost
   */
  skip(tag: number, depth: number): void {
    const wireType = tag & 7;
    if (wireType === START_GROUP) this.#skipGroup(tag >>> 3, depth + 1);
    else if (wireType === VARINT) this.#skipVarint();
    else this.#advance(this.#sizeOf(wireType));
  }

  /** A varint of a field that is not known may be of any length. */
  #skipVarint(): void {
    let byte = this.#byte();
    while (byte >= 0x80) byte = this.#byte();
  }

  #sizeOf(wireType: number): number {
    switch (wireType) {
      case BITS_64:
        return 8;
      case LENGTH_DELIMITED:
        return this.uint32();
      case BITS_32:
        return 4;
      default:
        throw new MalformedMessageError('end of a group that was not started');
    }
  }

  #skipGroup(fieldNumber: number, depth: number): void {
    if (depth > MAX_DEPTH) throw new MalformedMessageError('nested too deeply');
    for (;;) {
      const tag = this.tag();
      if ((tag & 7) !== END_GROUP) this.skip(tag, depth);
      else if (tag >>> 3 === fieldNumber) return;
      else throw new MalformedMessageError('end of another group');
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.position++];
    if (byte === undefined) throw new MalformedMessageError('truncated');
    return byte;
  }

  #advance(bytes: number): void {
    this.position += bytes;
    if (this.position > this.length) throw new MalformedMessageError('truncated');
  }

  /** Reads a length, passes over as many bytes, and returns where they started. */
  #skipSized(): number {
    const size = this.uint32();
    const start = this.position;
    this.#advance(size);
    return start;
  }

  /** Reads a varint of at most four bytes, as most amounts of money are; reads nothing when it is longer. */
  #upTo28Bits(): number {
    let value = 0;
    for (let shift = 0, at = this.position; shift < 28; shift += 7) {
      const byte = this.#bytes[at++] ?? 0x80;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.position = at;
        return value;
      }
    }
    return TOO_LONG;
  }

  #restOfUint32(lowBits: number): number {
    let value = lowBits;
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    let last = this.#byte();
    value |= (last & 0x0f) << 28;
    for (let size = 5; last >= 0x80; size++) {
      if (size === MAX_VARINT_BYTES) throw new MalformedMessageError('varint too long');
      last = this.#byte();
    }
    return value >>> 0;
  }

  /** Reads a varint into `word`. Bits above the 64th are dropped. */
  #varint64(): void {
    let low = 0;
    let high = 0;
    for (let size = 0; size < MAX_VARINT_BYTES; size++) {
      const byte = this.#byte();
      const bits = byte & 0x7f;
      if (size < 4) low |= bits << (7 * size);
      else if (size === 4) {
        low |= bits << 28;
        high = bits >> 4;
      } else high |= bits << (7 * size - 32);
      if (byte < 0x80) {
        word.setInt32(0, high);
        word.setInt32(4, low);
        return;
      }
    }
    throw new MalformedMessageError('varint too long');
  }
}

/** Whether the bytes from `start` to `end` are a text of ASCII characters. */
function isText(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let at = start; at < end; at++) if (bytes[at] !== text.charCodeAt(at - start)) return false;
  return true;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return STRICT_UTF8.decode(bytes);
  } catch {
    throw new MalformedMessageError('invalid UTF-8');
  }
}
