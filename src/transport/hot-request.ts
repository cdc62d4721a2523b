/** Decoding and checking in the path of a flash sale, with the refusals every other method gives. */
import { invalidRequest } from '../domain/invalid-request.ts';
import { decodeRequest, type RequestCodec } from '../wire/decode-request.ts';

/** The request in `bytes`. Throws INVALID_REQUEST with every violation. */
export function checkedRequest<Request>(codec: RequestCodec<Request>, bytes: Uint8Array): Request {
  const request = decodeRequest(codec.decode, bytes);
  const violations = codec.violationsOf(request);
  if (violations.length > 0) throw invalidRequest(violations);
  return request;
}
