/** What `scripts/transact.lua` answers, taken apart. Pure. */
import type { Outcome } from './transaction.ts';

/** Outcomes of `scripts/transact.lua` by their number. */
const TRANSACTION_OUTCOMES = [
  'done',
  'replayed',
  'differs',
  'out_of_bounds',
  'late',
  'outside',
  'backlog',
  'corrupt',
] as const;

/** What the script can say of a transaction that the caller hears as a refusal instead. */
export type Refused = 'late' | 'backlog' | 'corrupt';

const CLOSED_REPLY = 0x43;
const REPLY_HEAD = 13;

function sumsOf(bytes: Buffer): number[] {
  const sums: number[] = [];
  for (let at = 0; at < bytes.length; at += 1 + (bytes[at] ?? 0)) {
    sums.push(Number(bytes.toString('latin1', at + 1, at + 1 + (bytes[at] ?? 0))));
  }
  return sums;
}

function outcomeOf(code: number, bytes: Buffer, nowMs: number): Outcome | Refused {
  const name = TRANSACTION_OUTCOMES[code - 1];
  const step = bytes.length >= 2 ? bytes.readUInt16BE(0) - 1 : 0;
  switch (name) {
    case 'done':
      return { kind: name, nowMs, sums: sumsOf(bytes) };
    case 'replayed':
      return { kind: name, nowMs, value: bytes };
    case 'differs':
      return { kind: name, nowMs, step, value: bytes[2] === 1 ? bytes.subarray(3) : undefined };
    case 'out_of_bounds':
      return { kind: name, nowMs, step, value: Number(bytes.toString('latin1', 2)) };
    case 'outside':
      return { kind: name, nowMs, step };
    case undefined:
      throw new TypeError(`unknown outcome ${code}`);
    default:
      return name;
  }
}

/** What a call answered. */
export interface TransactionsReply {
  /** The script's clock, ms since the epoch. */
  readonly nowMs: number;
  readonly backlogEvents: number;
  /** One per transaction, in order. */
  readonly outcomes: readonly (Outcome | Refused)[];
}

/** Takes a reply apart; undefined when the partition is closed. Throws when it is not one of `count` answers. */
export function decodeTransactionsReply(reply: unknown, count: number): TransactionsReply | undefined {
  if (!Buffer.isBuffer(reply))
    throw new TypeError('the transact script answered something else than a string');
  if (reply.length === 1 && reply[0] === CLOSED_REPLY) return undefined;
  const nowMs = reply.readUIntBE(1, 6);
  const outcomes: (Outcome | Refused)[] = [];
  for (let at = REPLY_HEAD; at < reply.length; ) {
    const length = reply.readUInt32BE(at + 1);
    outcomes.push(outcomeOf(reply[at] ?? 0, reply.subarray(at + 5, at + 5 + length), nowMs));
    at += 5 + length;
  }
  if (outcomes.length !== count) throw new TypeError(`${outcomes.length} answers for ${count} transactions`);
  return { nowMs, backlogEvents: reply.readUIntBE(7, 6), outcomes };
}
