import { unreadableRequest } from '../domain/invalid-request.ts';
import type { FieldViolation } from '../domain/refusal.ts';
import { refuseNulTexts } from './nul-texts.ts';
import { MalformedMessageError } from './wire-reader.ts';

/** The generated codec of one request. */
export interface RequestCodec<Request> {
  readonly decode: (bytes: Uint8Array) => Request;
  readonly violationsOf: (request: Request) => readonly FieldViolation[];
}

/**
 * What `decode` reads from a caller's bytes. Throws Refusal INVALID_REQUEST when they are malformed, or hold text that no store
 * keeps.
 */
export function decodeRequest<Request>(decode: (bytes: Uint8Array) => Request, bytes: Uint8Array): Request {
  const request = readRequest(decode, bytes);
  refuseNulTexts(request, bytes);
  return request;
}

function readRequest<Request>(decode: (bytes: Uint8Array) => Request, bytes: Uint8Array): Request {
  try {
    return decode(bytes);
  } catch (cause) {
    if (!(cause instanceof MalformedMessageError)) throw cause;
    throw unreadableRequest(cause);
  }
}
