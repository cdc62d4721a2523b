/**
 * Postgres array literals, made by hand: the driver would escape every element again, which costs more than the insert.
 */

/** An array of numbers or booleans; `undefined` becomes NULL. */
export function plainArray(values: readonly (number | boolean | undefined)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

/** A `bytea[]`. */
export function bytesArray(values: readonly Buffer[]): string {
  if (values.length === 0) return '{}';
  return `{"${values.map((value) => `\\\\x${value.toString('hex')}`).join('","')}"}`;
}

/** A `text[]` of arbitrary text. */
export function textArray(values: readonly string[]): string {
  if (values.length === 0) return '{}';
  return `{"${values.map(escapeText).join('","')}"}`;
}

const NEEDS_ESCAPE = /["\\]/g;

function escapeText(value: string): string {
  return value.replace(NEEDS_ESCAPE, '\\$&');
}
