/**
 * Byte strings as Redis and its scripts know them: JavaScript strings of characters 0 … 255, which compare, concatenate and
 * serve as keys of maps as they are. Numbers in them are unsigned and big endian, packed as Lua's `struct` packs them.
 */

/** What a script in Lua would have failed with. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

/** The byte string of an argument. */
export function bytesOf(argument: unknown): string {
  if (Buffer.isBuffer(argument)) return argument.toString('latin1');
  const text = String(argument);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: anything else than ASCII has to be encoded.
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text).toString('latin1');
}

/** The buffer of a byte string. */
export function bufferOf(bytes: string): Buffer {
  return Buffer.from(bytes, 'latin1');
}

/** A number in so many bytes; what does not fit is cut off at the top. */
export function pack(size: number, value: number): string {
  let rest = Math.trunc(value);
  let packed = '';
  for (let index = 0; index < size; index += 1) {
    const byte = ((rest % 256) + 256) % 256;
    packed = String.fromCharCode(byte) + packed;
    rest = (rest - byte) / 256;
  }
  return packed;
}

/** A byte string after its length in so many bytes. */
export function sized(size: number, bytes: string): string {
  return pack(size, bytes.length) + bytes;
}

/** The number in so many bytes from `at` (0 …) on. Throws when they are not there. */
export function unpack(bytes: string, at: number, size: number): number {
  if (at + size > bytes.length) throw new ScriptError('ERR data string too short');
  let value = 0;
  for (let index = at; index < at + size; index += 1) value = value * 256 + bytes.charCodeAt(index);
  return value;
}

/** Takes a byte string apart, as `struct.unpack` does. */
export class Unpacker {
  at: number;
  private readonly bytes: string;

  constructor(bytes: string, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  uint(size: number): number {
    const value = unpack(this.bytes, this.at, size);
    this.at += size;
    return value;
  }

  take(length: number): string {
    if (this.at + length > this.bytes.length) throw new ScriptError('ERR data string too short');
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }

  /** A byte string after its length in so many bytes. */
  sized(size: number): string {
    return this.take(this.uint(size));
  }
}

const DECIMAL = /^[\t-\r ]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[\t-\r ]*$/;
const HEXADECIMAL = /^[\t-\r ]*[+-]?0[xX][0-9a-fA-F]+[\t-\r ]*$/;

/** Lua's `tonumber` of a field or an argument; undefined where it gives nil. */
export function toNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (DECIMAL.test(text)) return Number(text);
  if (!HEXADECIMAL.test(text)) return undefined;
  const digits = text.trim();
  return digits.startsWith('-') ? -Number(digits.slice(1)) : Number(digits.replace('+', ''));
}

/** The number, or the failure of arithmetic with nil. */
export function requireNumber(text: string | undefined): number {
  const value = toNumber(text);
  if (value === undefined) throw new ScriptError('ERR attempt to perform arithmetic on a nil value');
  return value;
}

const LARGEST_LONG = 2 ** 63;

/** Lua's `string.format('%d', value)`. */
export function digits(value: number): string {
  if (Number.isSafeInteger(value)) return value === 0 ? '0' : String(value);
  if (Math.abs(value) >= LARGEST_LONG) return '-9223372036854775808';
  return BigInt(Math.trunc(value)).toString();
}
