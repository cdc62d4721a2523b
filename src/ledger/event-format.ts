/**
 * The binary form of what the ledger's scripts write to the stream: one entry per script call, many events in it.
 *
 * Events carry post-images only, so replaying them needs no business logic (LEDGER rule 7). The layout, shared with
 * `scripts/includes/events.lua`, all integers unsigned and big endian:
 *
 *     entry  = format u8 (2), time u48 (ms), events total u48, count u16, event*
 *     event  = kind u8, targets u8, target*
 *     target = class u8, id length u8, id, fields u8, field*
 *     field  = name length u8, name, value length u32, value
 *
 * A value length of 0xFFFFFFFF, with no bytes after it, says that the field was removed; format 1 did not have that, and
 * is read all the same. A field named `@` starts with the entry's own sequence number (u48). The script does not know it
 * while it writes the entry, so it is zero in the payload and filled in by whoever applies it.
 *
 * Of the class `due` there is one record, a sorted set: the fields are its members (`<user>/<order>`), their values the
 * scores (ms) in decimal.
 */
import { SEQUENCE_FIELD } from './record-fields.ts';

/** What events do, in order of their codes from 1. */
export const EVENT_KINDS = [
  'opened',
  'defined',
  'claimed',
  'hidden',
  'reserved',
  'committed',
  'released',
  'lapsed',
  'used',
  'returned',
  'refunded',
  'granted',
  'code_claimed',
  'exchanged',
  'event_granted',
  'revoked',
  'points_earned',
  'points_reversed',
  'points_expired',
  'points_awarded',
  'facts_changed',
  'erased',
  'retired',
  'order_noted',
  'leased',
  'closed',
  'carried',
] as const;
/** The classes of records, in order of their codes from 1. */
const TARGET_CLASSES = ['wallet', 'promotion', 'index', 'order', 'account', 'usage', 'due', 'pool'] as const;

/** What an event did. */
export type EventKind = (typeof EVENT_KINDS)[number];
/** Which kind of record a write goes to. */
export type TargetClass = (typeof TARGET_CLASSES)[number];

/** The new absolute value of one field; undefined when the field was removed. */
export interface FieldWrite {
  readonly field: Buffer;
  readonly value: Buffer | undefined;
}

/** New absolute values of some fields of one record. */
export interface Write {
  readonly target: TargetClass;
  /**
   * The user id of a wallet or an account, the ref of a promotion, of its usage or of its pool in decimal,
   * `<user>/<order>` of an order; empty for the index and the due set.
   */
  readonly id: string;
  readonly fields: readonly FieldWrite[];
}

/** One thing that happened, with everything it wrote. */
export interface LedgerEvent {
  readonly kind: EventKind;
  readonly writes: readonly Write[];
}

/** Everything one script call did. */
export interface LedgerEntry {
  readonly formatVersion: number;
  /** The script's decision time, ms since the epoch. */
  readonly timeMs: number;
  /** Events of the partition up to and including this entry. */
  readonly eventsTotal: number;
  readonly events: readonly LedgerEvent[];
}

/** The entry was written by a newer release; the reader must stop instead of guessing. */
export class UnknownFormatError extends Error {
  override readonly name = 'UnknownFormatError';
}

/** The bytes are not an entry. */
export class CorruptEntryError extends Error {
  override readonly name = 'CorruptEntryError';
}

/** The version of the layout above, which scripts write; a reader that finds a later one stops. */
export const ENTRY_FORMAT = 2;
const OLDEST_FORMAT = 1;
const REMOVED_LENGTH = 0xff_ff_ff_ff;

const ISSUING_KINDS: ReadonlySet<EventKind> = new Set([
  'claimed',
  'granted',
  'code_claimed',
  'exchanged',
  'event_granted',
]);

/** Does an event of this kind bring coupons into being? */
export function issuesCoupons(kind: EventKind): boolean {
  return ISSUING_KINDS.has(kind);
}

/** The code of an event kind, as scripts write it. */
export function eventKindCode(kind: EventKind): number {
  return EVENT_KINDS.indexOf(kind) + 1;
}

/** The code of a class of records, as scripts write it. */
export function targetClassCode(target: TargetClass): number {
  return TARGET_CLASSES.indexOf(target) + 1;
}

const SEQUENCE_FIELD_CODE = SEQUENCE_FIELD.bytes[0];

class Reader {
  private readonly bytes: Buffer;
  private offset = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  uint(size: 1 | 2 | 4 | 6): number {
    if (this.offset + size > this.bytes.length) throw new CorruptEntryError('cut short');
    const value = this.bytes.readUIntBE(this.offset, size);
    this.offset += size;
    return value;
  }

  slice(length: number): Buffer {
    if (this.offset + length > this.bytes.length) throw new CorruptEntryError('cut short');
    const slice = this.bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return slice;
  }

  named<Name>(names: readonly Name[], what: string): Name {
    const code = this.uint(1);
    const name = names[code - 1];
    if (name === undefined) throw new CorruptEntryError(`unknown ${what} ${code}`);
    return name;
  }

  times<Item>(count: number, read: () => Item): Item[] {
    const items: Item[] = [];
    for (let index = 0; index < count; index += 1) items.push(read());
    return items;
  }

  end(): void {
    if (this.offset !== this.bytes.length) throw new CorruptEntryError('bytes left over');
  }
}

function readField(reader: Reader, formatVersion: number): FieldWrite {
  const field = reader.slice(reader.uint(1));
  const length = reader.uint(4);
  const isRemoved = length === REMOVED_LENGTH && formatVersion > OLDEST_FORMAT;
  return { field, value: isRemoved ? undefined : reader.slice(length) };
}

function readWrite(reader: Reader, formatVersion: number): Write {
  const target = reader.named(TARGET_CLASSES, 'target');
  const id = reader.slice(reader.uint(1)).toString('latin1');
  const fields = reader.times(reader.uint(1), () => readField(reader, formatVersion));
  return { target, id, fields };
}

/** Reads a stream entry's payload. Buffers in the result are views of `payload`. Throws the errors of this module. */
export function decodeEntry(payload: Buffer): LedgerEntry {
  const reader = new Reader(payload);
  const formatVersion = reader.uint(1);
  if (formatVersion < OLDEST_FORMAT || formatVersion > ENTRY_FORMAT)
    throw new UnknownFormatError(`entry format ${formatVersion}`);
  const timeMs = reader.uint(6);
  const eventsTotal = reader.uint(6);
  const events = reader.times(reader.uint(2), () => {
    const kind = reader.named(EVENT_KINDS, 'event kind');
    return { kind, writes: reader.times(reader.uint(1), () => readWrite(reader, formatVersion)) };
  });
  reader.end();
  return { formatVersion, timeMs, eventsTotal, events };
}

function uint(size: 1 | 2 | 4 | 6, value: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
}

function writeParts(write: Write): Buffer[] {
  const id = Buffer.from(write.id, 'latin1');
  const parts = [uint(1, targetClassCode(write.target)), uint(1, id.length), id];
  parts.push(uint(1, write.fields.length));
  for (const { field, value } of write.fields) {
    parts.push(uint(1, field.length), field, uint(4, value?.length ?? REMOVED_LENGTH));
    if (value !== undefined) parts.push(value);
  }
  return parts;
}

/** The payload of an entry, as the scripts write it. For tests and tools. */
export function encodeEntry(entry: LedgerEntry): Buffer {
  const parts = [uint(1, entry.formatVersion), uint(6, entry.timeMs), uint(6, entry.eventsTotal)];
  parts.push(uint(2, entry.events.length));
  for (const event of entry.events) {
    parts.push(uint(1, eventKindCode(event.kind)), uint(1, event.writes.length));
    for (const write of event.writes) parts.push(...writeParts(write));
  }
  return Buffer.concat(parts);
}

/**
 * The value a record holds after the entry with number `seq`: `@` gets the number, everything else is as written, and a
 * removed field is undefined.
 */
export function appliedValue(field: Buffer, value: Buffer, seq: number): Buffer;
export function appliedValue(field: Buffer, value: Buffer | undefined, seq: number): Buffer | undefined;
export function appliedValue(field: Buffer, value: Buffer | undefined, seq: number): Buffer | undefined {
  if (value === undefined) return undefined;
  if (field.length !== 1 || field[0] !== SEQUENCE_FIELD_CODE) return value;
  return Buffer.concat([uint(6, seq), value.subarray(6)]);
}
