import { invalidRequest } from '../../domain/invalid-request.ts';
import type { FieldViolation } from '../../domain/refusal.ts';
import { decodeRequest, type RequestCodec } from '../../wire/decode-request.ts';

/**
 * The request in `bytes`, valid by the contract and by what its annotations cannot say. Throws Refusal INVALID_REQUEST with
 * every violation, at most 100.
 */
export function validRequest<Request>(
  codec: RequestCodec<Request>,
  bytes: Uint8Array,
  findMore: (request: Request, found: FieldViolation[]) => void,
): Request {
  const request = decodeRequest(codec.decode, bytes);
  const violations = codec.violationsOf(request);
  if (violations.length > 0) throw invalidRequest(violations);
  const more: FieldViolation[] = [];
  findMore(request, more);
  if (more.length > 0) throw invalidRequest(more);
  return request;
}

/** Reports every key that came before; `fieldAt` names the field of a place. */
export function findRepeated(
  keys: readonly string[],
  fieldAt: (index: number) => string,
  found: FieldViolation[],
): void {
  if (keys.length < 2) return;
  const seen = new Set<string>();
  for (const [index, key] of keys.entries()) {
    if (seen.has(key)) found.push({ field: fieldAt(index), description: 'must be there once only' });
    seen.add(key);
  }
}
