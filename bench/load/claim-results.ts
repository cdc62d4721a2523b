/**
 * Counts what became of the items of a batch by skimming the bytes of the answer: decoding 256 messages per call would cost the
 * generator more than the call costs the server. Both answers hold results as a repeated field; a result holds one field, 1 for
 * a claimed coupon and 2 for a refusal.
 */

const CLAIMED_FIELD = 1;

/** Claimed and refused items of one answer. */
export interface ItemCounts {
  readonly claimed: number;
  readonly refused: number;
}

/** Counts the results of an answer that carries them in this field. */
export function countResults(message: Buffer, resultsField: number): ItemCounts {
  let claimed = 0;
  let refused = 0;
  for (const { field, start } of lengthDelimitedFields(message)) {
    if (field !== resultsField) continue;
    if ((message[start] ?? 0) >> 3 === CLAIMED_FIELD) claimed += 1;
    else refused += 1;
  }
  return { claimed, refused };
}

/** The number in field 1 of a stream's message: which request this answers. */
export function readSequence(message: Buffer): number {
  if (message[0] !== 0x08) return 0;
  return readVarint(message, 1).value;
}

function* lengthDelimitedFields(message: Buffer): Generator<{ field: number; start: number }> {
  for (let at = 0; at < message.length; ) {
    const tag = readVarint(message, at);
    const size = readVarint(message, tag.next);
    const isLengthDelimited = (tag.value & 7) === 2;
    if (isLengthDelimited) yield { field: tag.value >> 3, start: size.next };
    at = isLengthDelimited ? size.next + size.value : size.next;
  }
}

function readVarint(message: Buffer, from: number): { value: number; next: number } {
  let value = 0;
  for (let at = from, scale = 1; ; at += 1, scale *= 128) {
    const byte = message.readUInt8(at);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next: at + 1 };
  }
}
