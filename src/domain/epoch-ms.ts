/** A moment as messages carry it; the shape of protobuf-es and that of the generated codecs both fit. */
export interface Instant {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** A moment of a message in epoch milliseconds, fractions cut off; undefined stays undefined. */
export function epochMs(instant: Instant): number;
export function epochMs(instant: Instant | undefined): number | undefined;
export function epochMs(instant: Instant | undefined): number | undefined {
  if (instant === undefined) return undefined;
  return Number(instant.seconds) * 1_000 + Math.floor(instant.nanos / 1_000_000);
}
