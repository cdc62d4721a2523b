/** The frame layer of HTTP/2 (RFC 9113, sections 4 and 6), as far as a load generator needs it. */

/** Frame types by name. */
export const FRAME_TYPE = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Frame flags by name; `ack` and `endStream` share a bit because they belong to different frame types. */
export const FRAME_FLAG = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** Bytes in front of every frame. */
export const FRAME_HEADER_BYTES = 9;

/** Largest payload a peer must accept before it says otherwise; requests are cut into pieces of this size. */
export const MAX_FRAME_PAYLOAD_BYTES = 16_384;

/** What a client sends before its first frame. */
export const CLIENT_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** One frame as it came in. `payload` is a view of the socket's chunk: read it before the callback returns. */
export type FrameHandler = (type: number, flags: number, streamId: number, payload: Buffer) => void;

/** Writes the nine bytes in front of a frame at `offset` and returns the offset behind them. */
export function writeFrameHeader(
  target: Buffer,
  offset: number,
  payloadBytes: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  target.writeUIntBE(payloadBytes, offset, 3);
  target[offset + 3] = type;
  target[offset + 4] = flags;
  target.writeUInt32BE(streamId, offset + 5);
  return offset + FRAME_HEADER_BYTES;
}

/** One whole frame. */
export function encodeFrame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  writeFrameHeader(frame, 0, payload.length, type, flags, streamId);
  payload.copy(frame, FRAME_HEADER_BYTES);
  return frame;
}

/** The payload of a SETTINGS frame: pairs of identifier and value. */
export function encodeSettings(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.allocUnsafe(settings.length * 6);
  settings.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  });
  return payload;
}

/** The pairs in the payload of a SETTINGS frame. */
export function decodeSettings(payload: Buffer): Map<number, number> {
  const settings = new Map<number, number>();
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    settings.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
  }
  return settings;
}

/** One WINDOW_UPDATE frame that lets the peer send `bytes` more. */
export function encodeWindowUpdate(streamId: number, bytes: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(bytes);
  return encodeFrame(FRAME_TYPE.windowUpdate, 0, streamId, payload);
}

/** Cuts a byte stream into frames; keeps what is incomplete for the next chunk. */
export class FrameReader {
  readonly #onFrame: FrameHandler;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onFrame: FrameHandler) {
    this.#onFrame = onFrame;
  }

  /** Reads one chunk of the socket and calls the handler for every frame that is complete. */
  read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      const payload = bytes.subarray(at + FRAME_HEADER_BYTES, end);
      this.#onFrame(bytes.readUInt8(at + 3), bytes.readUInt8(at + 4), bytes.readUInt32BE(at + 5), payload);
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}
