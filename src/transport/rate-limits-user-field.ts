/** Finds the user a request is about in its bytes, so that a limit is judged before anything is decoded. */
import { type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import { WireReader } from '../wire/wire-reader.ts';

const USER_FIELD = 'user_id';
const FIELD_SHIFT = 3;
const OUTERMOST = 1;

/** Reads the user id of a request; empty when it names none, or cannot be read. */
export type ReadUser = (request: Uint8Array) => string;

/** How to read the user of a kind of request; undefined when such requests are about no one user. */
export function userReaderOf(message: DescMessage): ReadUser | undefined {
  const field = message.fields.find(({ name }) => name === USER_FIELD);
  if (field?.fieldKind !== 'scalar' || field.scalar !== ScalarType.STRING) return undefined;
  const userTag = (field.number << FIELD_SHIFT) | WireType.LengthDelimited;
  return (request) => readUser(request, userTag);
}

/** The last one counts, as in every decoder; otherwise a second field would hide whose call it is. */
function readUser(request: Uint8Array, userTag: number): string {
  let user = '';
  try {
    const reader = new WireReader(request);
    while (reader.position < reader.length) {
      const tag = reader.tag();
      if (tag === userTag) user = reader.string();
      else reader.skip(tag, OUTERMOST);
    }
  } catch {
    // What cannot be read is refused by the decoder, with a reason.
  }
  return user;
}
