import type { Timestamp } from '@bufbuild/protobuf/wkt';

/** A timestamp of the contract in epoch milliseconds, fractions cut off; undefined stays undefined. */
export function epochMs(timestamp: Timestamp | undefined): number | undefined {
  if (timestamp === undefined) return undefined;
  return Number(timestamp.seconds) * 1_000 + Math.floor(timestamp.nanos / 1_000_000);
}
