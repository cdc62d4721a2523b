/** `scripts/transact.lua`, transcribed line by line; a property test holds the two together. */
import { digits, pack, requireNumber, sized, toNumber, Unpacker, unpack } from './bytes.ts';
import {
  appendEntry,
  argAt,
  countLive,
  encodeField,
  encodeRemoved,
  keyAt,
  openPartition,
  type Partition,
  type ScriptCall,
  type ScriptReply,
  TARGET,
  WALLET_LIMIT,
} from './script-context.ts';

const STEP = {
  replay: 1,
  expect: 2,
  absent: 3,
  set: 4,
  remove: 5,
  add: 6,
  within: 7,
  live: 8,
  due: 9,
} as const;
const OUTCOME = {
  done: 1,
  replayed: 2,
  differs: 3,
  outOfBounds: 4,
  late: 5,
  outside: 6,
  backlog: 7,
  corrupt: 8,
} as const;
const NO_SEQ = pack(6, 0);
const EMPTY_WALLET = NO_SEQ + pack(2, 0);
const SEQ_BYTES = 6;

/** A field's value; false: it is gone or was never there. */
type Value = string | false;

interface TouchedRecord {
  readonly key: string;
  readonly target: number;
  readonly id: string;
  readonly fields: Map<string, Value>;
  readonly written: Set<string>;
  isCorrupt: boolean;
}

type Copy = Map<string, Value>;

/** A transaction worked out; `copies` by record when it is to be written. */
interface WorkedOut {
  readonly outcome: number;
  readonly bytes: string;
  readonly kind?: number;
  readonly copies?: ReadonlyMap<TouchedRecord, Copy>;
}

/** How one step ends the transaction, or what it writes; undefined: nothing. */
type StepEnd = WorkedOut | { readonly written: Value } | undefined;

function numbered(step: number, bytes = ''): string {
  return pack(2, step) + bytes;
}

function differing(step: number, value: Value | undefined): WorkedOut {
  const found = value === undefined || value === false ? pack(1, 0) : pack(1, 1) + value;
  return { outcome: OUTCOME.differs, bytes: numbered(step, found) };
}

function whole(value: Value | undefined): number | undefined {
  if (value === undefined || value === false) return 0;
  return /^-?\d+$/.test(value) ? toNumber(value) : undefined;
}

/** One call of the script. */
class Transactions {
  private readonly call: ScriptCall;
  private readonly partition: Partition;
  private readonly records: TouchedRecord[];
  private readonly events: string[] = [];

  constructor(call: ScriptCall, partition: Partition) {
    this.call = call;
    this.partition = partition;
    const names = new Unpacker(argAt(call, 2));
    this.records = call.keys.slice(2).map((key) => this.readRecord(key, names));
  }

  run(): string {
    const replies = this.call.args.slice(3).map((body) => {
      const { outcome, bytes, kind, copies } = this.workOut(new Unpacker(body));
      if (kind !== undefined && copies !== undefined && copies.size > 0) this.addEvent(kind, copies);
      return pack(1, outcome) + sized(4, bytes);
    });
    this.write();
    const { now, backlog } = this.partition;
    return `O${pack(6, now)}${pack(6, Math.max(backlog, 0))}${replies.join('')}`;
  }

  private readRecord(key: string, names: Unpacker): TouchedRecord {
    const { keyspace } = this.call;
    const target = names.uint(1);
    const id = names.sized(1);
    const asked = Array.from({ length: names.uint(2) }, () => names.sized(1));
    const kind = keyspace.type(key);
    const fields = new Map<string, Value>();
    const record = { key, target, id, fields, written: new Set<string>(), isCorrupt: false };
    if (target === TARGET.due) return { ...record, isCorrupt: kind !== 'zset' && kind !== 'none' };
    if (asked.length === 0 || (kind !== 'hash' && kind !== 'none')) return { ...record, isCorrupt: true };
    for (const field of asked) fields.set(field, keyspace.field(key, field) ?? false);
    return record;
  }

  private workOut(body: Unpacker): WorkedOut {
    const { faults } = this.call;
    const deadline = body.uint(6);
    const opensNew = body.uint(1);
    const kind = body.uint(1);
    const steps = body.uint(2);
    const copies = new Map<TouchedRecord, Copy>();
    const sums: string[] = [];
    for (let step = 1; step <= steps; step += 1) {
      const operation = body.uint(1);
      const record = this.records[body.uint(2) - 1];
      const field = body.sized(1);
      if (record?.isCorrupt) return { outcome: OUTCOME.corrupt, bytes: numbered(step) };
      const value = record && (copies.get(record)?.get(field) ?? record.fields.get(field));
      const end = this.carryOut({ operation, step, record, value, sums }, body);
      if (end === undefined) continue;
      if ('outcome' in end) return end;
      if (record === undefined) continue;
      const copy = copies.get(record) ?? new Map<string, Value>();
      copies.set(record, copy.set(field, end.written));
    }
    const isLate = deadline < this.partition.now && !faults.has('deadline-ignored');
    if (isLate) return { outcome: OUTCOME.late, bytes: '' };
    const limit = requireNumber(argAt(this.call, 1));
    if (opensNew === 1 && this.partition.backlog >= limit) return { outcome: OUTCOME.backlog, bytes: '' };
    return { outcome: OUTCOME.done, bytes: sums.join(''), kind, copies };
  }

  private carryOut(
    at: {
      operation: number;
      step: number;
      record: TouchedRecord | undefined;
      value: Value | undefined;
      sums: string[];
    },
    body: Unpacker,
  ): StepEnd {
    const { operation, step, value } = at;
    switch (operation) {
      case STEP.set:
        return { written: this.stamped(body) };
      case STEP.expect:
        return body.sized(4) === value ? undefined : differing(step, value);
      case STEP.absent:
        return value === undefined || value === false ? undefined : differing(step, value);
      case STEP.add:
        return add(body, step, value, at.sums);
      case STEP.live:
        return this.live(body, step, value, at.record);
      case STEP.within: {
        const [from, to] = [body.uint(6), body.uint(6)];
        const isInside = this.partition.now >= from && this.partition.now <= to;
        return isInside ? undefined : { outcome: OUTCOME.outside, bytes: numbered(step) };
      }
      case STEP.remove:
        return value === undefined || value === false ? undefined : { written: false };
      case STEP.due: {
        const [there, after] = [body.uint(1), body.uint(6)];
        return { written: there === 1 && digits(this.partition.now + after) };
      }
      case STEP.replay:
        return value === undefined || value === false || this.call.faults.has('replay-ignored')
          ? undefined
          : { outcome: OUTCOME.replayed, bytes: value };
      default:
        return undefined;
    }
  }

  private stamped(body: Unpacker): string {
    const stamps = Array.from({ length: body.uint(1) }, () => [body.uint(1), body.uint(6)] as const);
    let value = body.sized(4);
    for (const [offset, plus] of stamps)
      value = value.slice(0, offset) + pack(6, this.partition.now + plus) + value.slice(offset + 6);
    return value;
  }

  private live(
    body: Unpacker,
    step: number,
    value: Value | undefined,
    record: TouchedRecord | undefined,
  ): StepEnd {
    const held = value === undefined || value === false ? EMPTY_WALLET : value;
    if (held.length !== EMPTY_WALLET.length || record === undefined)
      return { outcome: OUTCOME.corrupt, bytes: numbered(step) };
    const change = body.uint(1) - 128;
    let live = unpack(held, SEQ_BYTES, 2);
    if (change > 0 && live + change > WALLET_LIMIT) {
      if (!record.written.has('@')) live = countLive(this.call, record.key, this.partition.now);
      if (live + change > WALLET_LIMIT)
        return { outcome: OUTCOME.outOfBounds, bytes: numbered(step, digits(live)) };
    }
    return { written: NO_SEQ + pack(2, Math.max(0, live + change)) };
  }

  private addEvent(kind: number, copies: ReadonlyMap<TouchedRecord, Copy>): void {
    const parts = [...copies].map(([record, copy]) => takeOver(record, copy));
    this.events.push(pack(1, kind) + pack(1, copies.size) + parts.join(''));
    this.partition.backlog += 1;
  }

  private write(): void {
    if (this.events.length === 0) return;
    const seq = appendEntry(this.call, keyAt(this.call, 1), keyAt(this.call, 2), this.partition, this.events);
    for (const record of this.records) this.writeRecord(record, pack(6, seq));
  }

  private writeRecord({ key, target, fields, written }: TouchedRecord, sequence: string): void {
    const { keyspace } = this.call;
    for (const field of written) {
      const value = fields.get(field);
      if (target === TARGET.due) {
        if (value) keyspace.addMember(key, field, Number(value));
        else keyspace.removeMember(key, field);
      } else if (value === undefined || value === false) {
        keyspace.removeField(key, field);
      } else {
        const isMark = target === TARGET.wallet && field === '@';
        keyspace.setField(key, field, isMark ? sequence + value.slice(SEQ_BYTES) : value);
      }
    }
  }
}

function add(body: Unpacker, step: number, value: Value | undefined, sums: string[]): StepEnd {
  const [delta, least, most] = [body.sized(1), body.sized(1), body.sized(1)].map(requireNumber);
  const before = whole(value);
  if (before === undefined || delta === undefined || least === undefined || most === undefined)
    return { outcome: OUTCOME.corrupt, bytes: numbered(step) };
  const after = before + delta;
  if (after < least || after > most)
    return { outcome: OUTCOME.outOfBounds, bytes: numbered(step, digits(before)) };
  sums.push(sized(1, digits(after)));
  return { written: digits(after) };
}

/** `take_over`. */
function takeOver(record: TouchedRecord, copy: Copy): string {
  if (record.target === TARGET.wallet && !copy.has('@')) {
    const mark = record.fields.get('@');
    copy.set('@', NO_SEQ + (typeof mark === 'string' ? mark : EMPTY_WALLET).slice(SEQ_BYTES));
  }
  const fields = [...copy].map(([field, value]) => {
    record.fields.set(field, value);
    record.written.add(field);
    return value === false ? encodeRemoved(field) : encodeField(field, value);
  });
  fields.sort((one, other) => (one < other ? -1 : 1));
  return pack(1, record.target) + sized(1, record.id) + pack(1, fields.length) + fields.join('');
}

/** Carries the script out. */
export function runTransact(call: ScriptCall): ScriptReply {
  const partition = openPartition(call, keyAt(call, 2), argAt(call, 3));
  return partition === undefined ? 'C' : new Transactions(call, partition).run();
}
