/** The plain commands the ledger uses, beside its scripts. */
import { bufferOf, digits, ScriptError, toNumber } from './bytes.ts';
import type { Entry, Keyspace } from './keyspace.ts';
import { wholeId } from './script-context.ts';

/** A reply as the driver's parser gives it. */
export type Reply = number | Buffer | null | Reply[];

type Command = (keyspace: Keyspace, args: readonly string[]) => Reply;

function text(args: readonly string[], place: number): string {
  const argument = args[place];
  if (argument === undefined) throw new ScriptError('ERR wrong number of arguments');
  return argument;
}

function bulk(value: string | undefined): Reply {
  return value === undefined ? null : bufferOf(value);
}

function entryReply({ generation, seq, payload }: Entry): Reply {
  return [Buffer.from(`${generation}-${seq}`), [Buffer.from('e'), bufferOf(payload)]];
}

/** Both ends of an XRANGE, as something that can be compared: −1 before all, Infinity after all. */
function place(id: string, side: 'from' | 'to'): readonly [number, number] {
  if (id === '-') return [-1, -1];
  if (id === '+') return [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const [generation = '', seq] = id.split('-');
  const whole = side === 'from' ? 0 : Number.POSITIVE_INFINITY;
  return [wholeId(generation), seq === undefined ? whole : wholeId(seq)];
}

function isUpTo([a, b]: readonly [number, number], [c, d]: readonly [number, number]): boolean {
  return a < c || (a === c && b <= d);
}

const xrange: Command = (keyspace, args) => {
  const [from, to] = [place(text(args, 1), 'from'), place(text(args, 2), 'to')];
  const count = args[4] === undefined ? Number.POSITIVE_INFINITY : wholeId(args[4]);
  const found: Reply[] = [];
  const entries = keyspace.stream(text(args, 0))?.entries ?? [];
  for (let index = firstFrom(entries, from); index < entries.length && found.length < count; index += 1) {
    const entry = entries[index];
    if (entry === undefined || !isUpTo([entry.generation, entry.seq], to)) break;
    found.push(entryReply(entry));
  }
  return found;
};

/** Place of the first entry at or after `from`; they are in order. */
function firstFrom(entries: readonly Entry[], from: readonly [number, number]): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = entries[middle];
    const isBefore = entry !== undefined && !isUpTo(from, [entry.generation, entry.seq]);
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low;
}

const xrevrange: Command = (keyspace, args) => {
  if (args[1] !== '+' || args[2] !== '-' || args[4] !== '1')
    throw new ScriptError('ERR the simulation knows only the newest entry');
  const last = keyspace.stream(text(args, 0))?.entries.at(-1);
  return last === undefined ? [] : [entryReply(last)];
};

const xtrim: Command = (keyspace, args) => {
  const [generation = '', seq = ''] = text(args, 2).split('-');
  return keyspace.trim(text(args, 0), wholeId(generation), wholeId(seq));
};

const hset: Command = (keyspace, [key = '', ...pairs]) => {
  let added = 0;
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    if (keyspace.field(key, text(pairs, index)) === undefined) added += 1;
    keyspace.setField(key, text(pairs, index), text(pairs, index + 1));
  }
  return added;
};

const hgetall: Command = (keyspace, args) =>
  [...(keyspace.hash(text(args, 0)) ?? [])].flat().map((value) => bufferOf(value));

const zrangebyscore: Command = (keyspace, args) => {
  const most = toNumber(text(args, 2)) ?? Number.POSITIVE_INFINITY;
  const limit = wholeId(text(args, 5));
  return [...(keyspace.set(text(args, 0)) ?? [])]
    .filter(([, score]) => score <= most)
    .toSorted(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([member]) => bufferOf(member));
};

const zmscore: Command = (keyspace, [key = '', ...members]) => {
  const set = keyspace.set(key);
  return members.map((member) => {
    const score = set?.get(member);
    return score === undefined ? null : Buffer.from(digits(score));
  });
};

/** By their names in lower case. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  hget: (keyspace, args) => bulk(keyspace.field(text(args, 0), text(args, 1))),
  hmget: (keyspace, [key = '', ...fields]) => fields.map((field) => bulk(keyspace.field(key, field))),
  hgetall,
  hset,
  xrange,
  xrevrange,
  xtrim,
  zrangebyscore,
  zmscore,
};
