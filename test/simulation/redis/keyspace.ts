/**
 * The keys of a simulated Redis: hashes, sorted sets and streams, with a journal by which any earlier state can be had again:
 * that of a file cut short, of a replica that lags, or of a backup.
 */
import { ScriptError } from './bytes.ts';

/** One entry of a stream; the generation and number are its id. */
export interface Entry {
  readonly generation: number;
  readonly seq: number;
  readonly payload: string;
}

/** A stream; ids go up for ever, also after entries were trimmed. */
export interface Stream {
  entries: Entry[];
  lastGeneration: number;
  lastSeq: number;
}

type Undo = () => void;

/** What one call wrote. */
export interface Change {
  readonly undo: readonly Undo[];
  /** The entry it appended, if any. */
  readonly entry: Entry | undefined;
  /** Keys it wrote to. */
  readonly keys: ReadonlySet<string>;
}

/** Wrong kind of value. */
export function wrongType(): ScriptError {
  return new ScriptError('WRONGTYPE Operation against a key holding the wrong kind of value');
}

/** See the module's comment. */
export class Keyspace {
  private readonly hashes = new Map<string, Map<string, string>>();
  private readonly sets = new Map<string, Map<string, number>>();
  private readonly streams = new Map<string, Stream>();
  private readonly changes: Change[] = [];
  private undo: Undo[] = [];
  private entry: Entry | undefined;
  private keys = new Set<string>();

  /** How many calls have written so far: a place in the journal. */
  get length(): number {
    return this.changes.length;
  }

  /** Ends a call; what it wrote, or undefined when it wrote nothing and `isPlace` does not make a place of it all the same. */
  commit(isPlace = false): Change | undefined {
    if (this.undo.length === 0 && !isPlace) return undefined;
    const change = { undo: this.undo, entry: this.entry, keys: this.keys };
    this.changes.push(change);
    this.undo = [];
    this.entry = undefined;
    this.keys = new Set();
    return change;
  }

  /** Goes back to an earlier place of the journal; what is undone, oldest first. */
  rollback(length: number): Change[] {
    const undone = this.changes.splice(length);
    for (const change of undone.toReversed()) for (const undo of change.undo.toReversed()) undo();
    return undone;
  }

  type(key: string): 'hash' | 'zset' | 'stream' | 'none' {
    if (this.hashes.has(key)) return 'hash';
    if (this.sets.has(key)) return 'zset';
    return this.streams.has(key) ? 'stream' : 'none';
  }

  /** Names of all keys. */
  allKeys(): string[] {
    return [...this.hashes.keys(), ...this.sets.keys(), ...this.streams.keys()];
  }

  hash(key: string): ReadonlyMap<string, string> | undefined {
    this.require(key, 'hash');
    return this.hashes.get(key);
  }

  field(key: string, field: string): string | undefined {
    return this.hash(key)?.get(field);
  }

  setField(key: string, field: string, value: string): void {
    this.require(key, 'hash');
    const hash = this.hashes.get(key) ?? new Map<string, string>();
    this.hashes.set(key, hash);
    const before = hash.get(field);
    this.note(key, () => this.putField(key, field, before));
    hash.set(field, value);
  }

  removeField(key: string, field: string): void {
    this.require(key, 'hash');
    const before = this.hashes.get(key)?.get(field);
    if (before === undefined) return;
    this.note(key, () => this.putField(key, field, before));
    this.putField(key, field, undefined);
  }

  set(key: string): ReadonlyMap<string, number> | undefined {
    this.require(key, 'zset');
    return this.sets.get(key);
  }

  addMember(key: string, member: string, score: number): void {
    this.require(key, 'zset');
    const before = this.sets.get(key)?.get(member);
    this.note(key, () => this.putMember(key, member, before));
    this.putMember(key, member, score);
  }

  removeMember(key: string, member: string): void {
    this.require(key, 'zset');
    const before = this.sets.get(key)?.get(member);
    if (before === undefined) return;
    this.note(key, () => this.putMember(key, member, before));
    this.putMember(key, member, undefined);
  }

  stream(key: string): Stream | undefined {
    this.require(key, 'stream');
    return this.streams.get(key);
  }

  /** XADD; without a number the entry gets the next one of its generation. Answers with the number. */
  append(key: string, generation: number, asked: number | undefined, payload: string): number {
    this.require(key, 'stream');
    const known = this.streams.get(key);
    const stream = known ?? { entries: [], lastGeneration: 0, lastSeq: 0 };
    const { lastGeneration, lastSeq } = stream;
    const next = known !== undefined && generation === lastGeneration ? lastSeq + 1 : 0;
    const seq = asked ?? next;
    const isAfter = generation > lastGeneration || (generation === lastGeneration && seq > lastSeq);
    if (!isAfter)
      throw new ScriptError(
        'ERR The ID specified in XADD is equal or smaller than the target stream top item',
      );
    this.streams.set(key, stream);
    const entry = { generation, seq, payload };
    stream.entries.push(entry);
    stream.lastGeneration = generation;
    stream.lastSeq = seq;
    this.entry = entry;
    this.note(key, () => {
      stream.entries.pop();
      stream.lastGeneration = lastGeneration;
      stream.lastSeq = lastSeq;
      if (known === undefined) this.streams.delete(key);
    });
    return seq;
  }

  /** XTRIM MINID; answers with how many entries went. */
  trim(key: string, generation: number, seq: number): number {
    const stream = this.stream(key);
    if (stream === undefined) return 0;
    const isKept = (entry: Entry): boolean =>
      entry.generation > generation || (entry.generation === generation && entry.seq >= seq);
    const first = stream.entries.findIndex(isKept);
    const gone = stream.entries.slice(0, first < 0 ? stream.entries.length : first);
    if (gone.length === 0) return 0;
    stream.entries = stream.entries.slice(gone.length);
    this.note(key, () => {
      stream.entries = [...gone, ...stream.entries];
    });
    return gone.length;
  }

  private require(key: string, kind: 'hash' | 'zset' | 'stream'): void {
    const found = this.type(key);
    if (found !== kind && found !== 'none') throw wrongType();
  }

  private note(key: string, undo: Undo): void {
    this.undo.push(undo);
    this.keys.add(key);
  }

  private putField(key: string, field: string, value: string | undefined): void {
    const hash = this.hashes.get(key) ?? new Map<string, string>();
    this.hashes.set(key, hash);
    if (value === undefined) hash.delete(field);
    else hash.set(field, value);
    if (hash.size === 0) this.hashes.delete(key);
  }

  private putMember(key: string, member: string, score: number | undefined): void {
    const set = this.sets.get(key) ?? new Map<string, number>();
    this.sets.set(key, set);
    if (score === undefined) set.delete(member);
    else set.set(member, score);
    if (set.size === 0) this.sets.delete(key);
  }
}
