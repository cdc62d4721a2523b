/** A moment as messages carry it; the shape of protobuf-es and that of the generated codecs both fit. */
export interface Instant {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** A timestamp of the contract in epoch milliseconds, fractions cut off; undefined stays undefined. */
export function epochMs(timestamp: Instant | undefined): number | undefined {
  if (timestamp === undefined) return undefined;
  return Number(timestamp.seconds) * 1_000 + Math.floor(timestamp.nanos / 1_000_000);
}
