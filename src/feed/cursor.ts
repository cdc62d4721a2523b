/**
 * Places in the feed. The feed has two kinds of sources, the logs of the ledger's partitions and the notices of jobs, and a
 * place says how far each was sent. Outside it is an opaque text; nothing in it is secret.
 */
import { createHash } from 'node:crypto';
import { Refusal } from '../domain/refusal.ts';

/** How far the log of one partition was sent. */
export interface LogPlace {
  /** Entry of the log; −1 = none. */
  readonly seq: number;
  /** Event in the entry; {@link WHOLE_ENTRY} = all of it. */
  readonly index: number;
  /** What the event tells, from 0. */
  readonly part: number;
}

/** How far the feed was sent. */
export interface FeedPosition {
  readonly generation: number;
  /** By partition. */
  readonly logs: readonly LogPlace[];
  /** Notice; 0 = none. */
  readonly notice: number;
}

/** After all events of an entry. An entry has at most 65,535 of them. */
export const WHOLE_ENTRY = 0xff_ff;

/** The first layout knew one log; the second one tells how many there are. A feed of one log is still written in the first. */
const ONE_LOG = 1;
const MANY_LOGS = 2;
const PLACE_BYTES = 9;
const MANY_HEAD_BYTES = 12;
const CHECK_BYTES = 4;

/** The text of a place. */
export function encodeCursor({ generation, logs, notice }: FeedPosition): string {
  const head = Buffer.alloc(5);
  head.writeUInt8(logs.length === 1 ? ONE_LOG : MANY_LOGS, 0);
  head.writeUInt32BE(generation, 1);
  const places = Buffer.concat(logs.map(placeBytes));
  const last = Buffer.alloc(6);
  last.writeUIntBE(notice, 0, 6);
  const bytes =
    logs.length === 1
      ? Buffer.concat([head, places, last])
      : Buffer.concat([head, last, Buffer.of(logs.length), places]);
  return Buffer.concat([bytes, checkOf(bytes)]).toString('base64url');
}

/** The place a text names. Throws CURSOR_INVALID when it names none. */
export function decodeCursor(text: string): FeedPosition {
  const bytes = Buffer.from(text, 'base64url');
  const body = bytes.subarray(0, -CHECK_BYTES);
  const isOurs =
    body.length > 0 &&
    checkOf(body).equals(bytes.subarray(-CHECK_BYTES)) &&
    bytes.toString('base64url') === text;
  if (isOurs && body[0] === ONE_LOG && body.length === 5 + PLACE_BYTES + 6) {
    return { generation: body.readUInt32BE(1), logs: [placeAt(body, 5)], notice: body.readUIntBE(14, 6) };
  }
  const count = body[MANY_HEAD_BYTES - 1] ?? 0;
  if (!isOurs || body[0] !== MANY_LOGS || body.length !== MANY_HEAD_BYTES + count * PLACE_BYTES)
    throw invalidCursor('it is none of this feed');
  const logs = Array.from({ length: count }, (_, log) => placeAt(body, MANY_HEAD_BYTES + log * PLACE_BYTES));
  return { generation: body.readUInt32BE(1), logs, notice: body.readUIntBE(5, 6) };
}

/** The same place with one log further on. */
export function withPlace(position: FeedPosition, log: number, place: LogPlace): FeedPosition {
  return { ...position, logs: position.logs.with(log, place) };
}

function placeBytes({ seq, index, part }: LogPlace): Buffer {
  const bytes = Buffer.alloc(PLACE_BYTES);
  bytes.writeUIntBE(seq + 1, 0, 6);
  bytes.writeUInt16BE(index, 6);
  bytes.writeUInt8(part, 8);
  return bytes;
}

function placeAt(bytes: Buffer, at: number): LogPlace {
  return {
    seq: bytes.readUIntBE(at, 6) - 1,
    index: bytes.readUInt16BE(at + 6),
    part: bytes.readUInt8(at + 8),
  };
}

/** The refusal of a cursor. @param metadata what the caller can go on with */
export function invalidCursor(why: string, metadata: Readonly<Record<string, string>> = {}): Refusal {
  return new Refusal('CURSOR_INVALID', `The cursor cannot be used: ${why}`, {
    violations: [{ field: 'cursor', description: why }],
    metadata,
  });
}

function checkOf(body: Uint8Array): Buffer {
  return createHash('sha256').update(body).digest().subarray(0, CHECK_BYTES);
}
