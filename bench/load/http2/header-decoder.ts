/** HPACK decoding of response headers (RFC 7541), with the dynamic table a real client keeps. */
import { decodeHuffman } from './huffman.ts';

/** One header field: name and value. */
export type Header = readonly [name: string, value: string];

const STATIC_TABLE: readonly Header[] = [
  ':authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204',
  ':status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate',
  'accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control',
  'content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type',
  'cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since',
  'last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after',
  'server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate',
]
  .flatMap((line) => line.split('|'))
  .map((entry) => [entry.split('=')[0] ?? '', entry.split('=')[1] ?? '']);

/** What an entry costs beside its characters, as the standard fixes it. */
const ENTRY_OVERHEAD_BYTES = 32;

/** Decodes the header blocks of one connection, in the order they arrive. */
export class HeaderDecoder {
  #dynamic: Header[] = [];
  #dynamicBytes = 0;
  #maxBytes = 4096;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  /** All fields of one block; throws when the block is malformed. */
  decode(block: Buffer): Header[] {
    const headers: Header[] = [];
    this.#block = block;
    this.#at = 0;
    while (this.#at < block.length) {
      const header = this.#readField(block.readUInt8(this.#at));
      if (header !== undefined) headers.push(header);
    }
    return headers;
  }

  #readField(first: number): Header | undefined {
    if (first & 0x80) return this.#entry(this.#readInteger(7));
    if (first & 0x40) return this.#remember(this.#readLiteral(6));
    if (first & 0x20) return this.#resize(this.#readInteger(5));
    return this.#readLiteral(4);
  }

  #readLiteral(prefixBits: number): Header {
    const index = this.#readInteger(prefixBits);
    const name = index === 0 ? this.#readString() : this.#entry(index)[0];
    return [name, this.#readString()];
  }

  #entry(index: number): Header {
    const entry =
      index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.#dynamic[index - STATIC_TABLE.length - 1];
    if (entry === undefined) throw new Error(`no header at index ${index}`);
    return entry;
  }

  #remember(header: Header): Header {
    this.#dynamic.unshift(header);
    this.#dynamicBytes += entryBytes(header);
    this.#evict();
    return header;
  }

  #resize(maxBytes: number): undefined {
    this.#maxBytes = maxBytes;
    this.#evict();
  }

  #evict(): void {
    while (this.#dynamicBytes > this.#maxBytes) {
      const oldest = this.#dynamic.pop();
      if (oldest === undefined) return;
      this.#dynamicBytes -= entryBytes(oldest);
    }
  }

  #readInteger(prefixBits: number): number {
    const limit = 2 ** prefixBits - 1;
    let value = this.#readByte() & limit;
    if (value < limit) return value;
    for (let shift = 1; ; shift *= 128) {
      const byte = this.#readByte();
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  }

  #readByte(): number {
    const byte = this.#block.readUInt8(this.#at);
    this.#at += 1;
    return byte;
  }

  #readString(): string {
    const isHuffman = (this.#block.readUInt8(this.#at) & 0x80) !== 0;
    const length = this.#readInteger(7);
    const bytes = this.#block.subarray(this.#at, this.#at + length);
    if (bytes.length < length) throw new Error('header block ends inside a string');
    this.#at += length;
    return isHuffman ? decodeHuffman(bytes) : bytes.toString('latin1');
  }
}

function entryBytes([name, value]: Header): number {
  return name.length + value.length + ENTRY_OVERHEAD_BYTES;
}
