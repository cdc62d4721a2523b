import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  appliedValue,
  CorruptEntryError,
  decodeEntry,
  ENTRY_FORMAT,
  encodeEntry,
  type LedgerEntry,
  UnknownFormatError,
} from './event-format.ts';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((part) => Buffer.from(part));
const writes = fc.record({
  target: fc.constantFrom('wallet' as const, 'promotion' as const, 'order' as const, 'due' as const),
  id: fc.stringMatching(/^[A-Za-z0-9._:@/-]{0,64}$/),
  fields: fc.array(fc.record({ field: bytes(64), value: fc.option(bytes(300), { nil: undefined }) }), {
    maxLength: 4,
  }),
});
const entries: fc.Arbitrary<LedgerEntry> = fc.record({
  formatVersion: fc.constant(ENTRY_FORMAT),
  timeMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  eventsTotal: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  events: fc.array(
    fc.record({
      kind: fc.constantFrom(
        'opened' as const,
        'claimed' as const,
        'reserved' as const,
        'order_noted' as const,
      ),
      writes: fc.array(writes, { maxLength: 3 }),
    }),
    { maxLength: 5 },
  ),
});

describe('a ledger entry', () => {
  it('reads back what was written', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
      }),
    );
  });

  it('cut short anywhere, or with bytes left over, is refused as corrupt', () => {
    fc.assert(
      fc.property(entries, fc.nat(), (entry, cut) => {
        const whole = encodeEntry(entry);
        const short = whole.subarray(0, cut % whole.length);
        if (short.length > 0) expect(() => decodeEntry(short)).toThrow(CorruptEntryError);
        expect(() => decodeEntry(Buffer.concat([whole, Buffer.of(0)]))).toThrow(CorruptEntryError);
      }),
    );
  });

  it('of the first format is still read, and has no removed fields', () => {
    const writes = [
      { target: 'index' as const, id: '', fields: [{ field: Buffer.from('x'), value: Buffer.from('y') }] },
    ];
    const first = {
      formatVersion: 1,
      timeMs: 5,
      eventsTotal: 1,
      events: [{ kind: 'claimed' as const, writes }],
    };
    expect(decodeEntry(encodeEntry(first))).toEqual(first);
    const removed = [
      { target: 'index' as const, id: '', fields: [{ field: Buffer.from('x'), value: undefined }] },
    ];
    const wrong = encodeEntry({ ...first, events: [{ kind: 'claimed', writes: removed }] });
    expect(() => decodeEntry(wrong)).toThrow(CorruptEntryError);
  });

  it('of a newer format stops the reader (LEDGER 20)', () => {
    const entry = encodeEntry({ formatVersion: ENTRY_FORMAT + 1, timeMs: 0, eventsTotal: 0, events: [] });
    expect(() => decodeEntry(entry)).toThrow(UnknownFormatError);
  });
});

describe('applying a write', () => {
  it('fills the sequence number in, and nothing else', () => {
    const value = Buffer.from('000000000000ffee', 'hex');
    expect(appliedValue(Buffer.from('@'), value, 0x1234).toString('hex')).toBe('000000001234ffee');
    expect(appliedValue(Buffer.from('x'), value, 0x1234)).toBe(value);
    expect(appliedValue(Buffer.from('@'), undefined, 0x1234)).toBeUndefined();
  });
});
