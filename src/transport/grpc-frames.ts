/** Messages of gRPC in their frames: a byte that tells whether it is compressed, four for its length, the message. */

const FLAG_COMPRESSED = 1;
const LENGTH_OFFSET = 1;
const HEAD_BYTES = 5;

/** What is wrong with the message of a unary call: there is none, it is of no known kind, too long, cut off, or there is another one. */
export type MessageFault = 'none' | 'kind' | 'excess' | 'cut' | 'two';

/** A message in its frame, uncompressed. */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, LENGTH_OFFSET);
  frame.set(message, HEAD_BYTES);
  return frame;
}

/** Reads the one message of a unary call from the chunks it comes in; never keeps more than the longest that is taken. */
export class MessageReader {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #keptBytes = 0;
  /** Bytes the message says it has; undefined before its head has come. */
  declaredBytes: number | undefined;
  #fault: MessageFault | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes what came. Gives a fault that no further chunk can mend; from then on nothing is kept. */
  take(chunk: Buffer): MessageFault | undefined {
    if (this.#fault !== undefined) return this.#fault;
    this.#chunks.push(chunk);
    this.#keptBytes += chunk.length;
    if (this.#keptBytes < HEAD_BYTES) return undefined;
    this.declaredBytes ??= this.#joined().readUInt32BE(LENGTH_OFFSET);
    this.#fault = this.#faultIn(this.declaredBytes);
    if (this.#fault !== undefined) this.#chunks = [];
    return this.#fault;
  }

  #faultIn(declaredBytes: number): MessageFault | undefined {
    if ((this.#chunks[0]?.[0] ?? 0) > FLAG_COMPRESSED) return 'kind';
    if (declaredBytes > this.#maxBytes) return 'excess';
    return this.#keptBytes > HEAD_BYTES + declaredBytes ? 'two' : undefined;
  }

  #joined(): Buffer {
    const [only] = this.#chunks;
    if (this.#chunks.length === 1 && only !== undefined) return only;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  /** The message once everything has come, as it came, or what is wrong. */
  end(): Buffer | MessageFault {
    if (this.#fault !== undefined) return this.#fault;
    if (this.#keptBytes === 0) return 'none';
    if (this.declaredBytes === undefined || this.#keptBytes < HEAD_BYTES + this.declaredBytes) return 'cut';
    return this.#joined().subarray(HEAD_BYTES);
  }

  /** Whether the message says that it is compressed. */
  get isCompressed(): boolean {
    return this.#chunks[0]?.[0] === FLAG_COMPRESSED;
  }
}
