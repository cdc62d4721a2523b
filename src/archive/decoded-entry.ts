import { CorruptEntryError, decodeEntry, type LedgerEntry } from '../ledger/event-format.ts';
import type { StreamEntry } from './ledger-port.ts';

/** A stream entry with what its bytes say, or why they say nothing. */
export type DecodedEntry = StreamEntry &
  (
    | { readonly kind: 'read'; readonly entry: LedgerEntry }
    | { readonly kind: 'corrupt'; readonly fault: string }
  );

/**
 * Reads an entry's bytes. Bytes that are no entry are kept as they are, so that one damaged entry does not stop the
 * stream; an entry of an unknown format throws `UnknownFormatError`, because a newer release would understand it.
 */
export function decodeStreamEntry({ seq, payload }: StreamEntry): DecodedEntry {
  try {
    return { seq, payload, kind: 'read', entry: decodeEntry(payload) };
  } catch (error) {
    if (!(error instanceof CorruptEntryError)) throw error;
    return { seq, payload, kind: 'corrupt', fault: error.message };
  }
}
