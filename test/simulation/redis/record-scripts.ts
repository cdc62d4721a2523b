/** `scripts/define.lua`, `hide.lua` and `open.lua`, transcribed; a property test holds them together. */
import { digits, pack, requireNumber, ScriptError, sized, toNumber, unpack } from './bytes.ts';
import {
  appendEntry,
  argAt,
  COUPON_BYTES,
  encodeField,
  KIND,
  keyAt,
  openPartition,
  type ScriptCall,
  type ScriptReply,
  sequenceOf,
  TARGET,
} from './script-context.ts';

/** What `define.lua` is asked for, and what it finds. */
interface Defining {
  readonly call: ScriptCall;
  readonly record: string;
  readonly pool: string | undefined;
  readonly issued: string;
  readonly lent: string;
}

/** The lease after a definition: fields and values. */
function leaseOf({ call, record, issued, lent }: Defining): [string, string][] {
  const { keyspace } = call;
  const [quantity, partitions, closes] = [argAt(call, 6), argAt(call, 7), argAt(call, 8) === '1'];
  if (quantity === '' || partitions === '1') return [['received', quantity]];
  const back = requireNumber(keyspace.field(record, 'back') ?? '0');
  const used = requireNumber(issued);
  const received = keyspace.field(record, 'received') ?? '';
  if (received !== '' && !closes && requireNumber(lent) <= requireNumber(quantity))
    return [['received', received]];
  const granted = Math.max(requireNumber(keyspace.field(record, 'granted') ?? '0'), back + used);
  return [
    ['granted', digits(granted)],
    ['back', digits(granted - used)],
    ['received', issued],
  ];
}

function definedEvent({ call, pool }: Defining, fields: readonly (readonly [string, string])[]): string {
  const [id, ref] = [argAt(call, 1), argAt(call, 2)];
  const event =
    pack(1, KIND.defined) +
    pack(1, pool === undefined ? 2 : 3) +
    pack(1, TARGET.promotion) +
    sized(1, ref) +
    pack(1, fields.length + 1) +
    fields.map(([name, value]) => encodeField(name, value)).join('') +
    encodeField('@', sequenceOf(0, '')) +
    pack(1, TARGET.index) +
    pack(1, 0) +
    pack(1, 1) +
    encodeField(id, ref);
  if (pool === undefined) return event;
  return event + pack(1, TARGET.pool) + sized(1, ref) + pack(1, 1) + encodeField('q', argAt(call, 6));
}

/** Carries `define.lua` out. */
export function runDefine(call: ScriptCall): ScriptReply {
  const [stream, meta, record, index] = [keyAt(call, 1), keyAt(call, 2), keyAt(call, 3), keyAt(call, 4)];
  const [id, ref, version] = [argAt(call, 1), argAt(call, 2), toNumber(argAt(call, 3))];
  const partition = openPartition(call, meta, argAt(call, 7));
  if (partition === undefined) return 'C';
  const { keyspace } = call;
  const stored = keyspace.field(record, 'd');
  const pool = call.keys[4];
  const lent = (pool && keyspace.field(pool, 't')) ?? '0';
  const known = keyspace.field(index, id);
  if (known !== undefined && known !== ref)
    throw new ScriptError('ID_TAKEN promotion id belongs to another ref');
  if (stored !== undefined && known === undefined)
    throw new ScriptError('REF_TAKEN ref belongs to another promotion');
  const issued = keyspace.field(record, 'issued') ?? '0';
  if (stored !== undefined && unpack(stored, 3, 4) >= (version ?? Number.NaN))
    return [0, digits(unpack(keyspace.field(record, '@') ?? '', 0, 6)), issued, lent];
  const defining = { call, record, pool, issued, lent };
  const fields: readonly (readonly [string, string])[] = [
    ['d', argAt(call, 4)],
    ['body', argAt(call, 5)],
    ['issued', issued],
    ...leaseOf(defining),
  ];
  const seq = appendEntry(call, stream, meta, partition, [definedEvent(defining, fields)]);
  for (const [name, value] of fields) keyspace.setField(record, name, value);
  keyspace.setField(record, '@', sequenceOf(seq, ''));
  keyspace.setField(index, id, ref);
  if (pool !== undefined) keyspace.setField(pool, 'q', argAt(call, 6));
  return [1, digits(seq), issued, lent];
}

const RESERVED = 2;

/** Carries `hide.lua` out. */
export function runHide(call: ScriptCall): ScriptReply {
  const [stream, meta, wallet] = [keyAt(call, 1), keyAt(call, 2), keyAt(call, 3)];
  const [field, deadline, user] = [argAt(call, 1), toNumber(argAt(call, 2)), argAt(call, 3)];
  const partition = openPartition(call, meta, argAt(call, 4));
  if (partition === undefined) return 'C';
  const { keyspace } = call;
  const value = keyspace.field(wallet, field);
  const mark = keyspace.field(wallet, '@');
  if (value === undefined) return 'N';
  if (value.length !== COUPON_BYTES || mark === undefined) return 'X';
  const [state, flags, expires] = [unpack(value, 1, 1), unpack(value, 3, 1), unpack(value, 24, 6)];
  if (flags % 2 === 1) return `H${value}`;
  const isOver = expires > 0 && expires < partition.now;
  if (state === RESERVED || (state === 1 && !isOver)) return `U${value}`;
  if (deadline === undefined) throw new ScriptError('ERR attempt to compare nil with number');
  if (deadline < partition.now && !call.faults.has('deadline-ignored')) return `L${pack(6, partition.now)}`;
  const hidden = value.slice(0, 3) + pack(1, flags + 1) + value.slice(4);
  const live = mark.slice(6);
  const event =
    pack(1, KIND.hidden) +
    pack(1, 1) +
    pack(1, TARGET.wallet) +
    sized(1, user) +
    pack(1, 2) +
    encodeField(field, hidden) +
    encodeField('@', sequenceOf(0, live));
  const seq = appendEntry(call, stream, meta, partition, [event]);
  keyspace.setField(wallet, field, hidden);
  keyspace.setField(wallet, '@', sequenceOf(seq, live));
  return `H${hidden}`;
}

/** Carries `open.lua` out. */
export function runOpen(call: ScriptCall): ScriptReply {
  const [stream, meta] = [keyAt(call, 1), keyAt(call, 2)];
  const [runId, generation, partitions] = [argAt(call, 1), argAt(call, 2), argAt(call, 3)];
  if (call.runId !== runId) return 0;
  const { keyspace } = call;
  const known = keyspace.field(meta, 'generation');
  const isOlder = keyspace.field(meta, 'open') !== undefined;
  if (keyspace.field(meta, 'moving') !== undefined) return 0;
  if (keyspace.field(meta, 'closed') !== undefined)
    throw new ScriptError(`GENERATION ${known} was closed for good: another one takes over`);
  const knownPartitions = keyspace.field(meta, 'partitions') ?? (isOlder ? '1' : partitions);
  if (known !== undefined && known !== generation)
    throw new ScriptError(`GENERATION the partition belongs to generation ${known}`);
  if (known !== undefined && knownPartitions !== partitions)
    throw new ScriptError(`PARTITIONS the ledger has ${knownPartitions} partitions`);
  if (known === undefined) {
    const opened = pack(1, KIND.opened) + pack(1, 0);
    appendEntry(call, stream, meta, { generation, now: call.timeMs, events: 0 }, [opened]);
  }
  keyspace.setField(meta, 'generation', generation);
  keyspace.setField(meta, 'partitions', partitions);
  keyspace.setField(meta, 'open', runId);
  return 1;
}
