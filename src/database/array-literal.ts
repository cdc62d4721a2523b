/**
 * Postgres array literals, made by hand: the driver would escape every element again, which costs more than the insert.
 */

/** An array of numbers or booleans; `undefined` becomes NULL. */
export function plainArray(values: readonly (number | boolean | undefined)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

/** A `bytea[]`; `undefined` becomes NULL. */
export function bytesArray(values: readonly (Buffer | undefined)[]): string {
  return `{${values.map((value) => (value === undefined ? 'NULL' : `"\\\\x${value.toString('hex')}"`)).join(',')}}`;
}

/** A `text[]` of arbitrary text; `undefined` becomes NULL. */
export function textArray(values: readonly (string | undefined)[]): string {
  return `{${values.map((value) => (value === undefined ? 'NULL' : `"${escapeText(value)}"`)).join(',')}}`;
}

const NEEDS_ESCAPE = /["\\]/g;

function escapeText(value: string): string {
  return value.replace(NEEDS_ESCAPE, '\\$&');
}
