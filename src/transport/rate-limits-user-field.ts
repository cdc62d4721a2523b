/** Finds the user a request is about in its bytes, so that a limit is judged before anything is decoded. */
import { type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

const USER_FIELD = 'user_id';
const FIELD_SHIFT = 3;
const WIRE_TYPE = 0b111;
/** Numbers from here on take more than one byte. */
const ONE_BYTE = 0x80;

/** Reads the user id of a request; empty when it names none, or cannot be read. */
export type ReadUser = (request: Uint8Array) => string;

/** How to read the user of a kind of request; undefined when such requests are about no one user. */
export function userReaderOf(message: DescMessage): ReadUser | undefined {
  const field = message.fields.find(({ name }) => name === USER_FIELD);
  if (field?.fieldKind !== 'scalar' || field.scalar !== ScalarType.STRING) return undefined;
  const tag = (field.number << FIELD_SHIFT) | WireType.LengthDelimited;
  return (request) => readText(request, field.number, tag);
}

/**
 * Walks the usual request by hand: fields with a length, whose tag and length take a byte each. Anything else is left to the
 * general reader, which costs ten times as much.
 */
function readText(request: Uint8Array, fieldNumber: number, tag: number): string {
  let [from, to] = [0, 0];
  for (let at = 0; at < request.length; ) {
    const found = request[at] ?? 0;
    const length = request[at + 1] ?? ONE_BYTE;
    const end = at + 2 + length;
    if (found >= ONE_BYTE || length >= ONE_BYTE || (found & WIRE_TYPE) !== WireType.LengthDelimited)
      return walk(request, fieldNumber);
    if (end > request.length) break;
    if (found === tag) [from, to] = [at + 2, end];
    at = end;
  }
  return textOf(request, from, to);
}

/** Users' ids are ASCII; what is not is refused by the decoder, and counts as some name until then. */
function textOf({ buffer, byteOffset }: Uint8Array, from: number, to: number): string {
  return Buffer.from(buffer, byteOffset + from, to - from).toString('latin1');
}

/** The last one counts, as in every decoder; otherwise a second field would hide whose call it is. */
function walk(request: Uint8Array, fieldNumber: number): string {
  let user = '';
  try {
    const reader = new BinaryReader(request);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field === fieldNumber && wireType === WireType.LengthDelimited) user = reader.string();
      else reader.skip(wireType, field);
    }
  } catch {
    // What cannot be read is refused by the decoder, with a reason.
  }
  return user;
}
