/** Finds the user a request is about in its bytes, so that a limit is judged before anything is decoded. */
import { type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

const USER_FIELD = 'user_id';
const FIELD_SHIFT = 3;

/** Reads the user id of a request; empty when it names none, or cannot be read. */
export type ReadUser = (request: Uint8Array) => string;

/** How to read the user of a kind of request; undefined when such requests are about no one user. */
export function userReaderOf(message: DescMessage): ReadUser | undefined {
  const field = message.fields.find(({ name }) => name === USER_FIELD);
  if (field?.fieldKind !== 'scalar' || field.scalar !== ScalarType.STRING) return undefined;
  const tag = (field.number << FIELD_SHIFT) | WireType.LengthDelimited;
  return (request) => readText(request, field.number, tag);
}

/** The usual request begins with its user; any other is walked. */
function readText(request: Uint8Array, fieldNumber: number, tag: number): string {
  const length = request[1] ?? 0;
  if (request[0] === tag && length < 0x80 && length + 2 <= request.length) {
    const isRepeated = request.indexOf(tag, length + 2) !== -1;
    if (!isRepeated) return Buffer.from(request.buffer, request.byteOffset + 2, length).toString('latin1');
  }
  return walk(request, fieldNumber);
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
