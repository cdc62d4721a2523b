/** Violations of the contract's rules as one refusal that lists them all. */
import { pathToString } from '@bufbuild/protobuf/reflect';
import type { Violation } from '@bufbuild/protovalidate';
import { Refusal } from '../domain/refusal.ts';

/** Faults named in one answer; a hostile request cannot make it grow without bound. */
const MAX_VIOLATIONS = 100;

/** The refusal for a request that breaks rules of the contract: each fault with the path of its field. */
export function invalidRequest(violations: readonly Violation[]): Refusal {
  const faults = violations
    .slice(0, MAX_VIOLATIONS)
    .map((violation) => ({ field: pathToString(violation.field), description: violation.message }));
  const [first] = faults;
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : '';
  const message = `The request is not valid: ${first?.field ?? ''}: ${first?.description ?? ''}${more}`;
  return new Refusal('INVALID_REQUEST', message, { violations: faults });
}
