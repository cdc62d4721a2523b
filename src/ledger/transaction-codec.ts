/** Transactions as `scripts/transact.lua` reads them, and its reply taken apart. Pure. */
import { eventKindCode, targetClassCode } from './event-format.ts';
import type { PartitionKeys } from './keys.ts';
import { recordKey } from './record-key.ts';
import type { Outcome, RecordName, StampedTime, Step, Transaction } from './transaction.ts';

const OPERATIONS = {
  replay: 1,
  expect: 2,
  absent: 3,
  set: 4,
  remove: 5,
  add: 6,
  within: 7,
  live: 8,
  due: 9,
} as const satisfies Record<Step['kind'], number>;

/** Outcomes of `scripts/transact.lua` by their number. */
export const TRANSACTION_OUTCOMES = [
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

const NOTHING = Buffer.alloc(0);
const WALLET_MARK = Buffer.from('@');
const LAST_INSTANT_MS = 2 ** 48 - 1;
const CLOSED_REPLY = 0x43;
const REPLY_HEAD = 13;
const LIVE_OFFSET = 128;

function uint(size: 1 | 2 | 4 | 6, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
}

const instant = (ms: number): Buffer => uint(6, Math.min(Math.max(0, Math.floor(ms)), LAST_INSTANT_MS));

function digits(value: number): Buffer {
  const text = String(value);
  return Buffer.concat([uint(1, text.length), Buffer.from(text)]);
}

function stamps(times: readonly StampedTime[]): Buffer[] {
  return [
    uint(1, times.length),
    ...times.flatMap(({ offset, plusMs }) => [uint(1, offset), instant(plusMs)]),
  ];
}

function operands(step: Step): Buffer[] {
  switch (step.kind) {
    case 'replay':
    case 'absent':
    case 'remove':
      return [];
    case 'expect':
      return [uint(4, step.value.length), step.value];
    case 'set':
      return [...stamps(step.times ?? []), uint(4, step.value.length), step.value];
    case 'add':
      return [digits(step.delta), digits(step.min ?? 0), digits(step.max ?? Number.MAX_SAFE_INTEGER)];
    case 'within':
      return [instant(step.fromMs), instant(step.toMs)];
    case 'live':
      return [uint(1, step.change + LIVE_OFFSET)];
    case 'due':
      return [uint(1, step.afterMs === undefined ? 0 : 1), instant(step.afterMs ?? 0)];
  }
}

/** A record of the call: its key and how events name it. */
interface Participant {
  readonly place: number;
  readonly key: string;
  readonly name: Buffer;
}

/** The records of one call, each with a number from 1. */
class Participants {
  private readonly byKey = new Map<string, Participant>();
  private readonly keys: PartitionKeys;

  constructor(keys: PartitionKeys) {
    this.keys = keys;
  }

  placeOf({ record, id }: RecordName): number {
    return this.place(recordKey(this.keys, { record, id }), targetClassCode(record), id);
  }

  placeOfDue(): number {
    return this.place(this.keys.due, targetClassCode('due'), '');
  }

  get all(): readonly Participant[] {
    return [...this.byKey.values()];
  }

  private place(key: string, target: number, id: string): number {
    const known = this.byKey.get(key);
    if (known !== undefined) return known.place;
    const bytes = Buffer.from(id);
    const name = Buffer.concat([uint(1, target), uint(1, bytes.length), bytes]);
    const participant = { place: this.byKey.size + 1, key, name };
    this.byKey.set(key, participant);
    return participant.place;
  }
}

function subjectOf(step: Step, participants: Participants): { place: number; field: Buffer } {
  switch (step.kind) {
    case 'within':
      return { place: 0, field: NOTHING };
    case 'live':
      return {
        place: participants.placeOf({ record: 'wallet', id: step.userId }),
        field: WALLET_MARK,
      };
    case 'due':
      return { place: participants.placeOfDue(), field: Buffer.from(step.member) };
    default:
      return { place: participants.placeOf(step.on), field: step.field };
  }
}

/** The user whose account or order a step names. */
function ownerOf(step: Step): string | undefined {
  if (!('on' in step)) return undefined;
  if (step.on.record === 'account') return step.on.id;
  return step.on.record === 'order' ? step.on.id.slice(0, step.on.id.indexOf('/')) : undefined;
}

/**
 * Every event of a user is told by the wallet's '@', so that whoever compares or puts back the user's records knows how far
 * they are.
 */
function withMarks(steps: readonly Step[]): Step[] {
  const owners = new Set(steps.map(ownerOf).filter((owner) => owner !== undefined));
  for (const step of steps) if (step.kind === 'live') owners.delete(step.userId);
  return [...steps, ...[...owners].map((userId): Step => ({ kind: 'live', userId, change: 0 }))];
}

function encodeTransaction(
  { event, opensNew, steps }: Transaction,
  serverDeadlineMs: number,
  participants: Participants,
): Buffer {
  const all = withMarks(steps);
  const parts = [instant(serverDeadlineMs), uint(1, opensNew ? 1 : 0), uint(1, eventKindCode(event))];
  parts.push(uint(2, all.length));
  for (const step of all) {
    const { place, field } = subjectOf(step, participants);
    parts.push(
      uint(1, OPERATIONS[step.kind]),
      uint(2, place),
      uint(1, field.length),
      field,
      ...operands(step),
    );
  }
  return Buffer.concat(parts);
}

/** The keys and arguments of one call; `deadlineMs` is by the server's clock. */
export function encodeTransactions(
  transactions: readonly { readonly transaction: Transaction; readonly serverDeadlineMs: number }[],
  keys: PartitionKeys,
  backlogLimitEvents: number,
): { keys: string[]; args: (string | Buffer)[] } {
  const participants = new Participants(keys);
  const bodies = transactions.map(({ transaction, serverDeadlineMs }) =>
    encodeTransaction(transaction, serverDeadlineMs, participants),
  );
  const { all } = participants;
  return {
    keys: [keys.stream, keys.meta, ...all.map(({ key }) => key)],
    args: [String(backlogLimitEvents), Buffer.concat(all.map(({ name }) => name)), ...bodies],
  };
}

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
