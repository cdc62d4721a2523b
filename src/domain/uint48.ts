/** Unsigned 48-bit integers, big endian: how records hold moments in ms since the epoch. */

/** Bytes of such an integer. */
export const UINT48_BYTES = 6;

/** Reads the integer at `offset`. Throws RangeError beyond the end. */
export function readUint48(view: DataView, offset: number): number {
  return view.getUint16(offset) * 0x1_0000_0000 + view.getUint32(offset + 2);
}

/** Writes the integer at `offset`. Throws RangeError beyond the end. */
export function writeUint48(view: DataView, offset: number, value: number): void {
  view.setUint16(offset, Math.floor(value / 0x1_0000_0000));
  view.setUint32(offset + 2, value % 0x1_0000_0000);
}
