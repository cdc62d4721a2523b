import { type FieldViolation, Refusal } from './refusal.ts';

/** Faults named in one answer; a hostile request cannot make it grow without bound. */
const MAX_VIOLATIONS = 100;

/** The refusal for a request that breaks the rules of its message: names the first fault, and lists up to 100 of them. */
export function invalidRequest(violations: readonly FieldViolation[]): Refusal {
  const [first] = violations;
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : '';
  const message = `The request is not valid: ${first?.field ?? ''}: ${first?.description ?? ''}${more}`;
  return new Refusal('INVALID_REQUEST', message, { violations: violations.slice(0, MAX_VIOLATIONS) });
}

/** The refusal for bytes that are no message of the method; `cause` says where reading them failed. */
export function unreadableRequest(cause: unknown): Refusal {
  return new Refusal('INVALID_REQUEST', 'The request is not a message of this method', { cause });
}
