import { type FieldViolation, Refusal } from '../../domain/refusal.ts';
import { MalformedMessageError } from '../../wire/wire-reader.ts';

/** Faults named in one answer; a hostile cart cannot make it grow without bound. */
const MAX_VIOLATIONS = 100;

/** The generated codec of one request. */
export interface RequestCodec<Request> {
  decode(bytes: Uint8Array): Request;
  violationsOf(request: Request): readonly FieldViolation[];
}

/**
 * The request in `bytes`, valid by the contract and by what its annotations cannot say. Throws Refusal INVALID_REQUEST with
 * every violation, at most 100.
 */
export function validRequest<Request>(
  codec: RequestCodec<Request>,
  bytes: Uint8Array,
  findMore: (request: Request, found: FieldViolation[]) => void,
): Request {
  const request = decoded(codec, bytes);
  const violations = codec.violationsOf(request);
  if (violations.length > 0) throw invalid(violations);
  const more: FieldViolation[] = [];
  findMore(request, more);
  if (more.length > 0) throw invalid(more);
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

function invalid(violations: readonly FieldViolation[]): Refusal {
  const [first] = violations;
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : '';
  const message = `The request is not valid: ${first?.field ?? ''}: ${first?.description ?? ''}${more}`;
  return new Refusal('INVALID_REQUEST', message, { violations: violations.slice(0, MAX_VIOLATIONS) });
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
