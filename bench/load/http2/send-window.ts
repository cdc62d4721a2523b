/** How much a client may send: the windows of a connection and of its streams (RFC 9113, section 5.2). */
import { encodeFrame, FRAME_FLAG, FRAME_TYPE, MAX_FRAME_PAYLOAD_BYTES } from './frames.ts';

interface Piece {
  readonly streamId: number;
  readonly bytes: Buffer;
  readonly ends: boolean;
}

/** Sends data in order, and holds it back while a window is shut. */
export class SendWindow {
  readonly #emit: (frame: Buffer) => void;
  readonly #streams = new Map<number, number>();
  #connectionBytes: number;
  #initialBytes: number;
  #waiting: Piece[] = [];

  constructor(initialBytes: number, emit: (frame: Buffer) => void) {
    this.#connectionBytes = initialBytes;
    this.#initialBytes = initialBytes;
    this.#emit = emit;
  }

  /** A stream was opened. */
  open(streamId: number): void {
    this.#streams.set(streamId, this.#initialBytes);
  }

  /** A stream has ended; what still waited for it is dropped. */
  close(streamId: number): void {
    this.#streams.delete(streamId);
    if (this.#waiting.length > 0)
      this.#waiting = this.#waiting.filter((piece) => piece.streamId !== streamId);
  }

  /** Sends data, cut into frames, now or as soon as the windows allow. */
  send(streamId: number, bytes: Buffer, ends: boolean): void {
    for (let at = 0; at < bytes.length || at === 0; at += MAX_FRAME_PAYLOAD_BYTES) {
      const piece = bytes.subarray(at, at + MAX_FRAME_PAYLOAD_BYTES);
      this.#waiting.push({ streamId, bytes: piece, ends: ends && at + piece.length >= bytes.length });
    }
    this.#drain();
  }

  /** The server took data in; stream 0 is the connection. */
  grow(streamId: number, bytes: number): void {
    const window = this.#streams.get(streamId);
    if (streamId === 0) this.#connectionBytes += bytes;
    else if (window !== undefined) this.#streams.set(streamId, window + bytes);
    this.#drain();
  }

  /** The server stated another first window; it changes open streams too. */
  setInitial(bytes: number): void {
    const difference = bytes - this.#initialBytes;
    this.#initialBytes = bytes;
    for (const [streamId, window] of this.#streams) this.#streams.set(streamId, window + difference);
    this.#drain();
  }

  #drain(): void {
    let sent = 0;
    for (const { streamId, bytes, ends } of this.#waiting) {
      const window = this.#streams.get(streamId) ?? 0;
      if (bytes.length > window || bytes.length > this.#connectionBytes) break;
      this.#streams.set(streamId, window - bytes.length);
      this.#connectionBytes -= bytes.length;
      this.#emit(encodeFrame(FRAME_TYPE.data, ends ? FRAME_FLAG.endStream : 0, streamId, bytes));
      sent += 1;
    }
    if (sent > 0) this.#waiting.splice(0, sent);
  }
}
