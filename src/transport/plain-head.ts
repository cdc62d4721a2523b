/**
 * Headers of plain calls: POST, Connect protocol, binary, uncompressed, of known length, from no web page. Plain are the calls of
 * services; whoever reads such headers may serve the call without the adapter.
 */
import type { IncomingMessage } from 'node:http';

/** What the headers of a plain call say. */
export interface PlainHead {
  readonly path: string;
  /** Bytes of the body. */
  readonly contentLength: number;
  /** Time the caller gives, in milliseconds; `Infinity` when it states none. */
  readonly timeoutMs: number;
  readonly authorization: string | undefined;
  readonly actAs: string | undefined;
  readonly traceParent: string | undefined;
  readonly acceptLanguage: string | undefined;
}

/** The media type of plain calls and their answers. */
export const PLAIN_TYPE = 'application/proto';

/** Above what node takes by default, a request is no business of ours. */
export const MAX_HEAD_BYTES = 16_384;

/** At most ten digits, says the Connect protocol of a time-out. The adapter explains what is wrong with anything else. */
const DIGITS = /^\d{1,10}$/;

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/**
 * A request line and header lines as strict as RFC 9112 lets a sender write them: no folded lines, no lone CR or LF, no space before
 * a colon, printable ASCII only. Two readers of one connection who disagree where a request ends are how requests are smuggled;
 * what is not written like this is left to node's parser.
 */
const STRICT_HEAD = /^POST (\/[\w./]+) HTTP\/1\.1(?:\r\n[!#$%&'*+.^`|~\w-]+:[\t -~]*)+\r\n\r\n$/;
const LINE_END = '\r\n';

/** Headers that ask for what only node's server does, and for what only the adapter does. */
const NEEDS_NODE = ['transfer-encoding', 'expect', 'upgrade'] as const;
const NEEDS_ADAPTER = ['content-encoding', 'origin'] as const;

type HeaderOf = (name: string) => string | undefined;

/** Where the head ends that the bytes begin with: the place of its body. Undefined while it is not complete, or too long. */
export function headLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf(END_OF_HEAD);
  const length = end + END_OF_HEAD.length;
  return end < 0 || length > MAX_HEAD_BYTES ? undefined : length;
}

/** Reads a complete head; undefined when it is not that of a plain call, or when anything about it is unusual. */
export function readPlainHead(bytes: Buffer): PlainHead | undefined {
  const text = bytes.toString('latin1');
  const path = STRICT_HEAD.exec(text)?.[1];
  const headers = path === undefined ? undefined : headersOf(text);
  if (path === undefined || headers === undefined) return undefined;
  if (NEEDS_NODE.some((name) => headers.has(name))) return undefined;
  if (!headers.has('host') || !isKeptOpen(headers.get('connection'))) return undefined;
  return plainHead(path, (name) => headers.get(name));
}

/** The headers of a strict head by their names in lower case; undefined when one comes twice. */
function headersOf(text: string): Map<string, string> | undefined {
  const headers = new Map<string, string>();
  const end = text.length - END_OF_HEAD.length;
  for (let at = text.indexOf(LINE_END); at < end; at = text.indexOf(LINE_END, at + 1)) {
    const colon = text.indexOf(':', at);
    const name = text.slice(at + LINE_END.length, colon).toLowerCase();
    if (headers.has(name)) return undefined;
    headers.set(name, text.slice(colon + 1, text.indexOf(LINE_END, colon)).trim());
  }
  return headers;
}

/** The same of a request that node has read. */
export function plainHeadOf({ method, url, headers }: IncomingMessage): PlainHead | undefined {
  if (method !== 'POST' || url === undefined) return undefined;
  return plainHead(url, (name) => {
    const value = headers[name];
    return typeof value === 'string' ? value : undefined;
  });
}

function isKeptOpen(connection: string | undefined): boolean {
  return connection === undefined || connection.toLowerCase() === 'keep-alive';
}

function plainHead(path: string, header: HeaderOf): PlainHead | undefined {
  if (header('content-type') !== PLAIN_TYPE) return undefined;
  if (NEEDS_ADAPTER.some((name) => header(name) !== undefined)) return undefined;
  const length = header('content-length') ?? '';
  const timeout = header('connect-timeout-ms');
  if (!DIGITS.test(length) || (timeout !== undefined && !DIGITS.test(timeout))) return undefined;
  return {
    path,
    contentLength: Number(length),
    timeoutMs: timeout === undefined ? Infinity : Number(timeout),
    authorization: header('authorization'),
    actAs: header('x-hongbao-identity'),
    traceParent: header('traceparent'),
    acceptLanguage: header('accept-language'),
  };
}
