/**
 * HPACK encoding of request headers that never change, the way nghttp2 does it (grpc-js, Envoy and h2load use it): the path and
 * the token travel as text with every call, all other fields are remembered by the server after the first call and cost one
 * byte each.
 */
import type { Header } from './header-decoder.ts';

const STATIC_ENTRIES = 61;

/** First bytes of a field with a name of its own: to be remembered, and never to be remembered. */
const REMEMBERED = 0x40;
const NEVER_REMEMBERED = 0x10;

const ALWAYS_AS_TEXT: ReadonlySet<string> = new Set([':path', 'authorization']);

/** The header blocks of one connection: `first` for its first request, `repeated` for all others. */
export interface RequestHeaderBlocks {
  readonly first: Buffer;
  readonly repeated: Buffer;
}

/** Encodes the fields, pseudo headers first, for a connection whose dynamic table is empty; at most 64 short fields. */
export function encodeRequestHeaders(headers: readonly Header[]): RequestHeaderBlocks {
  const remembered = headers.filter(([name]) => !ALWAYS_AS_TEXT.has(name));
  const first = headers.map((header) => encodeField(header, isText(header) ? NEVER_REMEMBERED : REMEMBERED));
  // The newest entry has the lowest index, so the first field ends up with the highest.
  const repeated = headers.map((header) =>
    isText(header)
      ? encodeField(header, NEVER_REMEMBERED)
      : Buffer.of(0x80 | (STATIC_ENTRIES + remembered.length - remembered.indexOf(header))),
  );
  return { first: Buffer.concat(first), repeated: Buffer.concat(repeated) };
}

function isText([name]: Header): boolean {
  return ALWAYS_AS_TEXT.has(name);
}

function encodeField([name, value]: Header, kind: number): Buffer {
  return Buffer.concat([Buffer.of(kind), encodeText(name), encodeText(value)]);
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([encodeLength(bytes.length), bytes]);
}

function encodeLength(length: number): Buffer {
  if (length < 127) return Buffer.of(length);
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}
