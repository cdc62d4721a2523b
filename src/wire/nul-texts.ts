/**
 * Refuses texts that hold the character NUL: Postgres keeps none in a text, so a request with one would be taken and then fail
 * wherever it is written down.
 */
import { invalidRequest } from '../domain/invalid-request.ts';

const NUL = '\u0000';

/**
 * Looks at every text of a decoded request; of most requests the bytes alone show that there is none.
 *
 * @throws Refusal INVALID_REQUEST naming the first such field.
 */
export function refuseNulTexts(request: unknown, bytes: Uint8Array): void {
  if (!bytes.includes(0)) return;
  const field = findNul(request);
  if (field !== undefined) {
    throw invalidRequest([{ field: field.join('.'), description: 'must not contain the character NUL' }]);
  }
}

/** Where the first such text is, or undefined. Bytes may hold what they like. */
function findNul(value: unknown): string[] | undefined {
  if (typeof value === 'string') return value.includes(NUL) ? [] : undefined;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const path = name.includes(NUL) ? [] : findNul(member);
    if (path !== undefined) return [name.replaceAll(NUL, '?'), ...path];
  }
  return undefined;
}
