/**
 * Which errors of the driver say "Postgres is not there now" rather than "this statement is wrong". Only the first
 * kind may be answered with UNAVAILABLE: asking again can help.
 */

const SYSTEM_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);

/** Codes of postgres.js itself. */
const DRIVER_CODES: ReadonlySet<string> = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
]);

/**
 * SQLSTATEs: 08 connection, 53 out of resources, 57P server going down or starting, 57014 statement time-out,
 * 55P03 lock time-out, 40001 and 40P01 retry, 25006 a server that has become read-only.
 */
const SQL_STATES = /^(08...|53...|57P..|57014|55P03|40001|40P01|25006)$/;

/** SQLSTATE of a violated unique constraint. */
const UNIQUE_VIOLATION = '23505';

/** True when the error means that the database could not be reached or could not serve, not that the call was wrong. */
export function isDatabaseDown(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined) return SYSTEM_CODES.has(code) || DRIVER_CODES.has(code) || SQL_STATES.test(code);
  return error instanceof Error && error.message.includes('was silent for');
}

/** The name of the unique constraint a statement has violated, or undefined when the error is another one. */
export function violatedUniqueConstraint(error: unknown): string | undefined {
  if (codeOf(error) !== UNIQUE_VIOLATION || !(error instanceof Error)) return undefined;
  return 'constraint_name' in error ? String(error.constraint_name) : undefined;
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
