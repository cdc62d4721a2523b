/** What a script of the ledger sees of its server, and the parts that scripts share: `scripts/includes/*.lua`, transcribed. */
import { digits, pack, requireNumber, ScriptError, sized, toNumber, unpack } from './bytes.ts';
import type { Keyspace } from './keyspace.ts';

/** A reply as a script gives it: bulk strings, whole numbers, lists. */
export type ScriptReply = string | number | readonly ScriptReply[];

/** One call of a script. */
export interface ScriptCall {
  readonly keyspace: Keyspace;
  readonly runId: string;
  /** The server's clock, ms since the epoch. */
  readonly timeMs: number;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** Faults planted by the tests of the simulation. */
  readonly faults: ReadonlySet<ScriptFault>;
}

/** Faults that can be planted into the scripts. */
export type ScriptFault =
  | 'replay-after-refusals'
  | 'gate-ignored'
  | 'deadline-ignored'
  | 'event-lost'
  | 'apply-without-values'
  | 'stock-ignored'
  | 'counter-not-in-event'
  | 'replay-ignored';

/** An open partition; see `includes/partition.lua`. */
export interface Partition {
  readonly generation: string;
  readonly now: number;
  readonly events: number;
  backlog: number;
}

/** Codes of the classes of records. */
export const TARGET = {
  wallet: 1,
  promotion: 2,
  index: 3,
  order: 4,
  account: 5,
  usage: 6,
  due: 7,
  pool: 8,
} as const;
/** Codes of the events that scripts other than `transact` write. */
export const KIND = { opened: 1, defined: 2, claimed: 3, hidden: 4 } as const;
/** Bytes of a coupon's value, of its field, and coupons a wallet may hold. */
export const COUPON_BYTES = 30;
export const FIELD_BYTES = 16;
export const WALLET_LIMIT = 500;

const ENTRY_FORMAT = 2;

/** `KEYS[number]`, from 1. */
export function keyAt({ keys }: ScriptCall, number: number): string {
  const key = keys[number - 1];
  if (key === undefined) throw new ScriptError('ERR a key is missing');
  return key;
}

/** `ARGV[number]`, from 1. */
export function argAt({ args }: ScriptCall, number: number): string {
  const argument = args[number - 1];
  if (argument === undefined) throw new ScriptError('ERR an argument is missing');
  return argument;
}

/** `open_partition`; undefined while it is closed for this server, or for callers who count partitions otherwise. */
export function openPartition(call: ScriptCall, meta: string, partitions: string): Partition | undefined {
  const fields = call.keyspace.hash(meta);
  const generation = fields?.get('generation');
  const isOpen = fields?.get('open') === call.runId || call.faults.has('gate-ignored');
  if (!isOpen || generation === undefined) return undefined;
  if ((fields?.get('partitions') ?? '1') !== partitions) return undefined;
  const events = requireNumber(fields?.get('events'));
  const archived = requireNumber(fields?.get('archivedEvents') ?? '0');
  const time = requireNumber(fields?.get('time'));
  return { generation, now: Math.max(call.timeMs, time), events, backlog: events - archived };
}

/** `append_entry`. */
export function appendEntry(
  { keyspace, faults }: ScriptCall,
  stream: string,
  meta: string,
  partition: Pick<Partition, 'generation' | 'now' | 'events'>,
  events: readonly string[],
): number {
  if (faults.has('event-lost') && events.length > 1) return keyspace.stream(stream)?.lastSeq ?? 0;
  const total = partition.events + events.length;
  const header = pack(1, ENTRY_FORMAT) + pack(6, partition.now) + pack(6, total) + pack(2, events.length);
  const generation = wholeId(partition.generation);
  const seq = keyspace.append(stream, generation, undefined, header + events.join(''));
  keyspace.setField(meta, 'time', digits(partition.now));
  keyspace.setField(meta, 'events', digits(total));
  return seq;
}

/** Half of a stream id. */
export function wholeId(text: string): number {
  const value = /^\d+$/.test(text) ? toNumber(text) : undefined;
  if (value === undefined)
    throw new ScriptError('ERR Invalid stream ID specified as stream command argument');
  return value;
}

/** `sequence_of`. */
export function sequenceOf(seq: number, rest: string): string {
  return pack(6, seq) + rest;
}

/** `encode_field`. */
export function encodeField(name: string, value: string): string {
  return sized(1, name) + sized(4, value);
}

/** `encode_removed`. */
export function encodeRemoved(name: string): string {
  return `${sized(1, name)}\xff\xff\xff\xff`;
}

/** `count_live`. */
export function countLive({ keyspace }: ScriptCall, key: string, now: number): number {
  let live = 0;
  for (const [field, value] of keyspace.hash(key) ?? []) {
    if (field.length !== FIELD_BYTES || value.length !== COUPON_BYTES) continue;
    const state = unpack(value, 1, 1);
    const expires = unpack(value, 24, 6);
    if ((state === 1 && (expires === 0 || expires >= now)) || state === 2) live += 1;
  }
  return live;
}
