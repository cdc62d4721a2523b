/** Transactions as `scripts/transact.lua` reads them. Pure. */
import { eventKindCode, targetClassCode } from './event-format.ts';
import type { PartitionKeys } from './keys.ts';
import { SEQUENCE_FIELD } from './record-fields.ts';
import { recordKey } from './record-key.ts';
import type { RecordName, StampedTime, Step, Transaction } from './transaction.ts';

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

const NOTHING = Buffer.alloc(0);
const LAST_INSTANT_MS = 2 ** 48 - 1;
const LIVE_OFFSET = 128;

/** Writes what a script unpacks: unsigned, big endian. It grows, and starts anew for each transaction. */
class Packer {
  private bytes = Buffer.allocUnsafe(4_096);
  private size = 0;

  uint(size: 1 | 2 | 4 | 6, value: number): void {
    this.reserve(size);
    this.size = this.bytes.writeUIntBE(value, this.size, size);
  }

  instant(ms: number): void {
    this.uint(6, Math.min(Math.max(0, Math.floor(ms)), LAST_INSTANT_MS));
  }

  /** Bytes after their length in so many bytes. */
  sized(lengthSize: 1 | 2 | 4, bytes: Buffer): void {
    this.uint(lengthSize, bytes.length);
    this.reserve(bytes.length);
    this.size += bytes.copy(this.bytes, this.size);
  }

  digits(value: number): void {
    const text = String(value);
    this.uint(1, text.length);
    this.reserve(text.length);
    this.size += this.bytes.write(text, this.size, 'latin1');
  }

  /** What was written, in memory of its own. */
  finish(): Buffer {
    const written = Buffer.from(this.bytes.subarray(0, this.size));
    this.size = 0;
    return written;
  }

  private reserve(more: number): void {
    if (this.size + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.size + more));
    this.bytes.copy(larger, 0, 0, this.size);
    this.bytes = larger;
  }
}

const packer = new Packer();

function packStamps(times: readonly StampedTime[]): void {
  packer.uint(1, times.length);
  for (const { offset, plusMs } of times) {
    packer.uint(1, offset);
    packer.instant(plusMs);
  }
}

function packOperands(step: Step): void {
  switch (step.kind) {
    case 'replay':
    case 'absent':
    case 'remove':
      return;
    case 'expect':
      packer.sized(4, step.value);
      return;
    case 'set':
      packStamps(step.times ?? []);
      packer.sized(4, step.value);
      return;
    case 'add':
      packer.digits(step.delta);
      packer.digits(step.min ?? 0);
      packer.digits(step.max ?? Number.MAX_SAFE_INTEGER);
      return;
    case 'within':
      packer.instant(step.fromMs);
      packer.instant(step.toMs);
      return;
    case 'live':
      packer.uint(1, step.change + LIVE_OFFSET);
      return;
    case 'due':
      packer.uint(1, step.afterMs === undefined ? 0 : 1);
      packer.instant(step.afterMs ?? 0);
      return;
  }
}

/** A record of the call: its key, how events name it, and which of its fields are looked at. */
interface Participant {
  readonly place: number;
  readonly key: string;
  readonly target: number;
  readonly id: string;
  readonly reads: Map<string, Buffer>;
}

/** The records of one call, each with a number from 1. */
class Participants {
  private readonly list: Participant[] = [];
  /** By class, then by id: a key is put together once for each record, not for each step about it. */
  private readonly known = new Map<RecordName['record'] | 'due', Map<string, Participant>>();
  private readonly keys: PartitionKeys;

  constructor(keys: PartitionKeys) {
    this.keys = keys;
  }

  of(record: RecordName['record'], id: string): Participant {
    return this.knownOf(record).get(id) ?? this.add(record, id, recordKey(this.keys, { record, id }));
  }

  due(): Participant {
    return this.knownOf('due').get('') ?? this.add('due', '', this.keys.due);
  }

  get all(): readonly Participant[] {
    return this.list;
  }

  private knownOf(record: RecordName['record'] | 'due'): Map<string, Participant> {
    const known = this.known.get(record) ?? new Map<string, Participant>();
    this.known.set(record, known);
    return known;
  }

  private add(record: RecordName['record'] | 'due', id: string, key: string): Participant {
    const reads = new Map<string, Buffer>();
    const participant = { place: this.list.length + 1, key, target: targetClassCode(record), id, reads };
    this.list.push(participant);
    this.knownOf(record).set(id, participant);
    return participant;
  }
}

/** The record a step is about and the field it names, which is read unless it is only written. */
function packSubject(step: Step, participants: Participants): void {
  const participant = participantOf(step, participants);
  const field = fieldOf(step);
  packer.uint(2, participant?.place ?? 0);
  packer.sized(1, field);
  if (participant === undefined || step.kind === 'set' || step.kind === 'due') return;
  const name = field.toString('latin1');
  if (!participant.reads.has(name)) participant.reads.set(name, field);
}

function participantOf(step: Step, participants: Participants): Participant | undefined {
  if (step.kind === 'within') return undefined;
  if (step.kind === 'due') return participants.due();
  if (step.kind === 'live') return participants.of('wallet', step.userId);
  return participants.of(step.on.record, step.on.id);
}

function fieldOf(step: Step): Buffer {
  switch (step.kind) {
    case 'within':
      return NOTHING;
    case 'live':
      return SEQUENCE_FIELD.bytes;
    case 'due':
      return Buffer.from(step.member);
    default:
      return step.field;
  }
}

/** The user whose account or order a step writes to. */
function ownerOf(step: Step): string | undefined {
  if (step.kind !== 'set' && step.kind !== 'remove' && step.kind !== 'add') return undefined;
  if (step.on.record === 'account') return step.on.id;
  return step.on.record === 'order' ? step.on.id.slice(0, step.on.id.indexOf('/')) : undefined;
}

/**
 * Every event of a user is told by the wallet's '@', so that whoever compares or puts back the user's records knows how far
 * they are. What only looks at records is no event and leaves no mark.
 */
function withMarks(steps: readonly Step[]): readonly Step[] {
  const owners = new Set<string>();
  for (const step of steps) {
    const owner = ownerOf(step);
    if (owner !== undefined) owners.add(owner);
  }
  for (const step of steps) if (step.kind === 'live') owners.delete(step.userId);
  if (owners.size === 0) return steps;
  return [...steps, ...[...owners].map((userId): Step => ({ kind: 'live', userId, change: 0 }))];
}

function packTransaction(
  { event, opensNew, steps }: Transaction,
  serverDeadlineMs: number,
  participants: Participants,
): Buffer {
  const all = withMarks(steps);
  packer.instant(serverDeadlineMs);
  packer.uint(1, opensNew ? 1 : 0);
  packer.uint(1, eventKindCode(event));
  packer.uint(2, all.length);
  for (const step of all) {
    packer.uint(1, OPERATIONS[step.kind]);
    packSubject(step, participants);
    packOperands(step);
  }
  return packer.finish();
}

/** Every record is looked at, if only to see that it is one, and a wallet's mark is always needed. */
function packParticipants(all: readonly Participant[]): Buffer {
  for (const { target, id, reads } of all) {
    if (target === targetClassCode('wallet') || reads.size === 0)
      reads.set(SEQUENCE_FIELD.name, SEQUENCE_FIELD.bytes);
    packer.uint(1, target);
    packer.sized(1, Buffer.from(id));
    packer.uint(2, reads.size);
    for (const field of reads.values()) packer.sized(1, field);
  }
  return packer.finish();
}

/** The keys and arguments of one call; `deadlineMs` is by the server's clock. */
export function encodeTransactions(
  transactions: readonly { readonly transaction: Transaction; readonly serverDeadlineMs: number }[],
  keys: PartitionKeys,
  backlogLimitEvents: number,
): { keys: string[]; args: (string | Buffer)[] } {
  const participants = new Participants(keys);
  const bodies = transactions.map(({ transaction, serverDeadlineMs }) =>
    packTransaction(transaction, serverDeadlineMs, participants),
  );
  const { all } = participants;
  return {
    keys: [keys.stream, keys.meta, ...all.map(({ key }) => key)],
    args: [String(backlogLimitEvents), packParticipants(all), keys.partitions, ...bodies],
  };
}
