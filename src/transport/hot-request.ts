/** Decoding and checking in the path of a flash sale, with the refusals every other method gives. */
import { type FieldViolation, Refusal } from '../domain/refusal.ts';
import { MalformedMessageError } from '../wire/wire-reader.ts';

/** The generated codec of one request. */
export interface RequestCodec<Request> {
  decode(bytes: Uint8Array): Request;
  violationsOf(request: Request): readonly FieldViolation[];
}

/** The request in `bytes`. Throws INVALID_REQUEST with every violation. */
export function checkedRequest<Request>(codec: RequestCodec<Request>, bytes: Uint8Array): Request {
  const request = decoded(codec, bytes);
  const violations = codec.violationsOf(request);
  if (violations.length > 0) throw new Refusal('INVALID_REQUEST', 'The request is not valid', { violations });
  return request;
}

function decoded<Request>(codec: RequestCodec<Request>, bytes: Uint8Array): Request {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    if (!(cause instanceof MalformedMessageError)) throw cause;
    throw new Refusal('INVALID_REQUEST', 'The request is not a message of this method', { cause });
  }
}
