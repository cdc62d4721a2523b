const INITIAL_SCRATCH_BYTES = 4 * 1024;
/** A larger scratch buffer is given back after use, so that one huge batch does not stay in memory for ever. */
const MAX_KEPT_SCRATCH_BYTES = 1024 * 1024;
/** Above this, one call into the buffer is cheaper than a loop. */
const MAX_LOOPED_CHARACTERS = 64;
const MS_PER_SECOND = 1000;
const NANOS_PER_MS = 1_000_000;
const TWO_TO_32 = 4_294_967_296;

/**
 * Writes the protobuf wire format, for the generated encoders of hot messages.
 *
 * It writes backwards: the last field first, a value before its length before its tag. So the length of a nested message
 * is known when it is needed, and nothing is computed twice or moved. The scratch buffer is reused; a message costs one
 * allocation, the copy that `finish` returns.
 */
export class WireWriter {
  #scratch = Buffer.allocUnsafeSlow(INITIAL_SCRATCH_BYTES);
  #position = INITIAL_SCRATCH_BYTES;

  /** Forgets what was written. */
  start(): void {
    if (this.#scratch.length > MAX_KEPT_SCRATCH_BYTES) {
      this.#scratch = Buffer.allocUnsafeSlow(INITIAL_SCRATCH_BYTES);
    }
    this.#position = this.#scratch.length;
  }

  /** Bytes written since `start`. */
  get size(): number {
    return this.#scratch.length - this.#position;
  }

  /** The message, as a copy. */
  finish(): Buffer {
    const message = Buffer.allocUnsafe(this.size);
    this.#scratch.copy(message, 0, this.#position);
    return message;
  }

  /** Writes the tag of a field: field number × 8 + wire type. */
  tag(value: number): void {
    if (value >= 0x80 || this.#position === 0) {
      this.uint32(value);
      return;
    }
    this.#scratch[--this.#position] = value;
  }

  /** Writes a varint of 32 bits without sign; also lengths. Throws RangeError when it is none. */
  uint32(value: number): void {
    if (value >>> 0 !== value) throw new RangeError(`not an unsigned 32-bit integer: ${value}`);
    if (value < 0x80 && this.#position > 0) this.#scratch[--this.#position] = value;
    else if (value < 0x4000 && this.#position > 1) {
      this.#scratch[--this.#position] = value >>> 7;
      this.#scratch[--this.#position] = (value & 0x7f) | 0x80;
    } else this.#varint(value, 0);
  }

  /** Writes a varint of 32 bits with sign; also enums. Throws RangeError when it is none. */
  int32(value: number): void {
    if ((value | 0) !== value) throw new RangeError(`not a 32-bit integer: ${value}`);
    if (value >= 0) this.uint32(value);
    else this.#varint(value >>> 0, 0xffffffff);
  }

  /** Writes a varint of 64 bits with sign. Throws RangeError when it is not a safe integer. */
  safeInt64(value: number): void {
    if (value >>> 0 === value) this.uint32(value);
    else this.#wide(value);
  }

  /** Writes a varint of 64 bits without sign. Throws RangeError when it is not a safe integer, or negative. */
  safeUint64(value: number): void {
    if (value < 0) throw new RangeError(`not an unsigned integer: ${value}`);
    this.safeInt64(value);
  }

  /** Writes a truth value. */
  bool(value: boolean): void {
    this.uint32(value ? 1 : 0);
  }

  /** Writes bytes and their length. */
  bytes(value: Uint8Array): void {
    this.#reserve(value.byteLength);
    this.#scratch.set(value, this.#position);
    this.uint32(value.byteLength);
  }

  /** Writes a text and its length. A lone surrogate becomes U+FFFD. */
  string(value: string): void {
    if (value.length > MAX_LOOPED_CHARACTERS || !this.#ascii(value)) this.#utf8(value);
  }

  /** Writes the length of what was written since `size` was `sizeBefore`. */
  lengthSince(sizeBefore: number): void {
    this.uint32(this.size - sizeBefore);
  }

  /**
   * Writes a google.protobuf.Timestamp and its length.
   *
   * @param epochMs milliseconds since 1970. Throws RangeError when it is not a safe integer.
   */
  timestamp(epochMs: number): void {
    if (!Number.isSafeInteger(epochMs)) throw new RangeError(`not a time in whole milliseconds: ${epochMs}`);
    const seconds = Math.floor(epochMs / MS_PER_SECOND);
    this.#secondsAndNanos(seconds, (epochMs - seconds * MS_PER_SECOND) * NANOS_PER_MS);
  }

  /**
   * Writes a google.protobuf.Duration and its length.
   *
   * @param ms milliseconds; 0 or more. Throws RangeError when it is not.
   */
  duration(ms: number): void {
    if (ms < 0) throw new RangeError(`not a duration: ${ms}`);
    this.timestamp(ms);
  }

  #secondsAndNanos(seconds: number, nanos: number): void {
    const before = this.size;
    if (nanos !== 0) {
      this.uint32(nanos);
      this.uint32(0x10);
    }
    if (seconds !== 0) {
      this.safeInt64(seconds);
      this.uint32(0x08);
    }
    this.lengthSince(before);
  }

  #wide(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`);
    this.#varint(modulo32(value), modulo32(Math.floor(value / TWO_TO_32)));
  }

  /** Writes the varint of high × 2^32 + low. */
  #varint(low: number, high: number): void {
    let size = 1;
    for (let l = low, h = high; h !== 0 || l > 0x7f; size++) {
      l = ((l >>> 7) | (h << 25)) >>> 0;
      h >>>= 7;
    }
    this.#reserve(size);
    let at = this.#position;
    let l = low;
    let h = high;
    for (; h !== 0 || l > 0x7f; at++) {
      this.#scratch[at] = (l & 0x7f) | 0x80;
      l = ((l >>> 7) | (h << 25)) >>> 0;
      h >>>= 7;
    }
    this.#scratch[at] = l;
  }

  /** Writes a text of ASCII characters and its length; writes nothing and returns false when there are others. */
  #ascii(value: string): boolean {
    const { length } = value;
    this.#reserve(length);
    const start = this.#position;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) {
        this.#position += length;
        return false;
      }
      this.#scratch[start + index] = code;
    }
    this.uint32(length);
    return true;
  }

  #utf8(value: string): void {
    const size = Buffer.byteLength(value, 'utf8');
    this.#reserve(size);
    this.#scratch.write(value, this.#position, size, 'utf8');
    this.uint32(size);
  }

  /** Moves the position down by `bytes`, into a larger buffer when this one is full. */
  #reserve(bytes: number): void {
    if (this.#position < bytes) this.#grow(bytes);
    this.#position -= bytes;
  }

  #grow(bytes: number): void {
    const { size } = this;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#scratch.length * 2, size + bytes));
    this.#scratch.copy(larger, larger.length - size, this.#position);
    this.#position = larger.length - size;
    this.#scratch = larger;
  }
}

/** A whole number modulo 2^32, never negative. */
function modulo32(value: number): number {
  return value >>> 0;
}
