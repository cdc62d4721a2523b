/**
 * The JSON part of a ledger record, read field by field. Records were written by this or an earlier release, so what does
 * not fit is damage and is told as such, never repaired by guessing.
 */

/** A stored record that cannot be read. */
export class CorruptRecordError extends Error {
  override readonly name = 'CorruptRecordError';
}

/** The field that leads every record and tells its version. */
const VERSION_FIELD = 'v';

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { fatal: true });

/** The bytes of a record's JSON, led by its version; `headBytes` zero bytes stand in front of it. */
export function encodeRecordJson(version: number, fields: object, headBytes = 0): Uint8Array {
  const json = JSON.stringify({ [VERSION_FIELD]: version, ...fields });
  return ENCODER.encode(headBytes === 0 ? json : '\0'.repeat(headBytes) + json);
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(DECODER.decode(bytes));
  } catch {
    throw new CorruptRecordError('not JSON');
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields of one object. Every reader throws {@link CorruptRecordError} when the field is not what it asks for. */
export class RecordFields {
  private readonly fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    if (!isRecord(value)) throw new CorruptRecordError('not an object');
    this.fields = value;
  }

  /** Reads what {@link encodeRecordJson} wrote. Another version than `version` is corrupt. */
  static decode(bytes: Uint8Array, version: number): RecordFields {
    const fields = new RecordFields(parsed(bytes));
    if (fields.whole(VERSION_FIELD) !== version) throw new CorruptRecordError('unknown version');
    return fields;
  }

  /** What was inherited is no field. */
  private value(name: string): unknown {
    return Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.fields, name);
  }

  text(name: string): string {
    const value = this.value(name);
    if (typeof value !== 'string') throw new CorruptRecordError(`${name} is no text`);
    return value;
  }

  /** A whole number, negative ones too. */
  signed(name: string): number {
    const value = this.value(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value))
      throw new CorruptRecordError(`${name} is no whole number`);
    return value;
  }

  /** A whole number of at least 0. */
  whole(name: string): number {
    const value = this.signed(name);
    if (value < 0) throw new CorruptRecordError(`${name} is negative`);
    return value;
  }

  flag(name: string): boolean {
    const value = this.value(name);
    if (typeof value !== 'boolean') throw new CorruptRecordError(`${name} is no flag`);
    return value;
  }

  oneOf<Name extends string>(name: string, names: readonly Name[]): Name {
    const value = this.text(name);
    const known = names.find((candidate) => candidate === value);
    if (known === undefined) throw new CorruptRecordError(`${name} is unknown`);
    return known;
  }

  /** A list of objects, each read by `read`. */
  items<Item>(name: string, read: (fields: RecordFields) => Item): Item[] {
    return this.list(name).map((value) => read(new RecordFields(value)));
  }

  /** A list of anything; the reader looks at the values itself. */
  list(name: string): readonly unknown[] {
    const value = this.value(name);
    if (!Array.isArray(value)) throw new CorruptRecordError(`${name} is no list`);
    return value;
  }

  texts(name: string): string[] {
    return this.list(name).map((value) => {
      if (typeof value !== 'string') throw new CorruptRecordError(`${name} holds something else than text`);
      return value;
    });
  }

  /** An object whose values are all text. */
  textMap(name: string): Record<string, string> {
    const inner = new RecordFields(this.value(name));
    return Object.fromEntries(Object.keys(inner.fields).map((key) => [key, inner.text(key)]));
  }
}
