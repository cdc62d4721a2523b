/** The canonical status codes by number: the label of metrics, and what refusals map to. */

/** Names of the codes; the index is the number. */
export const CODE_NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** Name of a canonical code. */
export type CodeName = (typeof CODE_NAMES)[number];

/** Number of a canonical code, equal in gRPC and Connect. */
export function codeNumber(name: CodeName): number {
  return CODE_NAMES.indexOf(name);
}
