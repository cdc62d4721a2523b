import type { FieldViolation } from '../domain/refusal.ts';

/** What the generated checks return when nothing is wrong; shared, so that a valid message allocates nothing. */
export const NO_VIOLATIONS: readonly FieldViolation[] = [];

/** Puts the path of a nested message before the fields of the violations found in it, from index `from` on. */
export function prefixFields(found: FieldViolation[], from: number, prefix: string): void {
  for (let index = from; index < found.length; index++) {
    const violation = found[index];
    if (violation === undefined) continue;
    found[index] = { field: `${prefix}.${violation.field}`, description: violation.description };
  }
}

/** Whether a text has fewer code points than `least`. */
export function isShorter(value: string, least: number): boolean {
  return value.length < least || (value.length < 2 * least && countCodePoints(value) < least);
}

/** Whether a text has more code points than `most`. */
export function isLonger(value: string, most: number): boolean {
  return value.length > most && countCodePoints(value) > most;
}

/** Whether a moment lies before another; both as seconds since 1970 and nanoseconds on top. */
export function isBefore(
  moment: { readonly seconds: bigint; readonly nanos: number },
  seconds: bigint,
  nanos: number,
): boolean {
  return moment.seconds < seconds || (moment.seconds === seconds && moment.nanos < nanos);
}

/** Whether a moment lies after another; both as seconds since 1970 and nanoseconds on top. */
export function isAfter(
  moment: { readonly seconds: bigint; readonly nanos: number },
  seconds: bigint,
  nanos: number,
): boolean {
  return moment.seconds > seconds || (moment.seconds === seconds && moment.nanos > nanos);
}

/** What is said of a moment or a span for which {@link hasOddNanos} holds. */
export const ODD_NANOS = 'must have nanos between 0 and 999999999';

/** Whether the nanoseconds of a moment or a span are no fraction of a second. */
export function hasOddNanos({ nanos }: { readonly nanos: number }): boolean {
  return nanos < 0 || nanos > 999_999_999;
}

function countCodePoints(value: string): number {
  let count = 0;
  for (const _character of value) count++;
  return count;
}
