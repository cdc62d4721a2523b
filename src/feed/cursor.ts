/**
 * Places in the feed. The feed has two sources, the ledger's log and the notices of jobs, and a place says how far each was
 * sent. Outside it is an opaque text; nothing in it is secret.
 */
import { createHash } from 'node:crypto';
import { Refusal } from '../domain/refusal.ts';

/** How far the feed was sent. */
export interface FeedPosition {
  readonly generation: number;
  /** Entry of the log; −1 = none. */
  readonly seq: number;
  /** Event in the entry; {@link WHOLE_ENTRY} = all of it. */
  readonly index: number;
  /** What the event tells, from 0. */
  readonly part: number;
  /** Notice; 0 = none. */
  readonly notice: number;
}

/** After all events of an entry. An entry has at most 65,535 of them. */
export const WHOLE_ENTRY = 0xff_ff;

const VERSION = 1;
const BODY_BYTES = 20;
const CHECK_BYTES = 4;

/** The text of a place. */
export function encodeCursor({ generation, seq, index, part, notice }: FeedPosition): string {
  const bytes = Buffer.alloc(BODY_BYTES);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeUInt32BE(generation, 1);
  bytes.writeUIntBE(seq + 1, 5, 6);
  bytes.writeUInt16BE(index, 11);
  bytes.writeUInt8(part, 13);
  bytes.writeUIntBE(notice, 14, 6);
  return Buffer.concat([bytes, checkOf(bytes)]).toString('base64url');
}

/** The place a text names. Throws CURSOR_INVALID when it names none. */
export function decodeCursor(text: string): FeedPosition {
  const bytes = Buffer.from(text, 'base64url');
  const body = bytes.subarray(0, BODY_BYTES);
  const isOurs =
    bytes.length === BODY_BYTES + CHECK_BYTES &&
    body[0] === VERSION &&
    checkOf(body).equals(bytes.subarray(BODY_BYTES)) &&
    bytes.toString('base64url') === text;
  if (!isOurs) throw invalidCursor('it is none of this feed');
  return {
    generation: body.readUInt32BE(1),
    seq: body.readUIntBE(5, 6) - 1,
    index: body.readUInt16BE(11),
    part: body.readUInt8(13),
    notice: body.readUIntBE(14, 6),
  };
}

/** The refusal of a cursor. */
export function invalidCursor(why: string): Refusal {
  return new Refusal('CURSOR_INVALID', `The cursor cannot be used: ${why}`, {
    violations: [{ field: 'cursor', description: why }],
  });
}

function checkOf(body: Uint8Array): Buffer {
  return createHash('sha256').update(body).digest().subarray(0, CHECK_BYTES);
}
