/** gRPC's own framing inside HTTP/2 data: one byte of flags and four bytes of length in front of each message. */

/** Bytes of flags and length. */
export const PREFIX_BYTES = 5;

/** The prefix of a message of this many bytes, not compressed. */
export function grpcPrefix(messageBytes: number): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(messageBytes, 1);
  return prefix;
}

/** Cuts the data of one stream into messages. */
export class MessageReader {
  readonly #onMessage: (message: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  /** Takes the next piece of data. What is not complete is copied, as the piece is only good for this call. */
  read(piece: Buffer): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    while (bytes.length - at >= PREFIX_BYTES) {
      const end = at + PREFIX_BYTES + bytes.readUInt32BE(at + 1);
      if (end > bytes.length) break;
      this.#onMessage(bytes.subarray(at + PREFIX_BYTES, end));
      at = end;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }
}
