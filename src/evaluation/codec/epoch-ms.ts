/** A moment as messages carry it; the shape of protobuf-es and that of the generated codecs both fit. */
export interface Instant {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** A moment in epoch milliseconds, fractions cut off. */
export function epochMs({ seconds, nanos }: Instant): number {
  return Number(seconds) * 1_000 + Math.floor(nanos / 1_000_000);
}
