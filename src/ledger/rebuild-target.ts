/**
 * A partition in Redis that is to be rebuilt: looked at, emptied, filled, and left as if it had just been restarted, so that
 * the gatekeeper opens it. While it is filled it is closed to every script but that of the rebuild which emptied it.
 */
import type { ChainableCommander, Redis } from 'ioredis';
import type { TargetClass } from './event-format.ts';
import { PARTITION_COUNTS, type PartitionKeys, partitionKeys } from './keys.ts';
import { runScript } from './script-runner.ts';

/** A record as it shall be: fields by name (latin1). Of the class `due` the names are members, the values scores in decimal. */
export interface RebuiltRecord {
  readonly target: TargetClass;
  /** As in events; empty for the index and the due set. */
  readonly id: string;
  readonly fields: ReadonlyMap<string, Buffer>;
}

/** What a partition looks like. */
export interface PartitionLook {
  /** Open for the server that answers: somebody may write to it. */
  readonly isOpen: boolean;
  readonly generation: number | undefined;
  readonly firstSeq: number | undefined;
  readonly lastSeq: number | undefined;
  /** It has keys of any kind. */
  readonly hasKeys: boolean;
}

/** Where the rebuilt partition goes on. */
export interface RebuiltPlace {
  readonly generation: number;
  readonly partitions: number;
  /** The entry the archive is at, which the gatekeeper compares: number, bytes, time (ms) and events up to it. */
  readonly seq: number;
  readonly payload: Buffer;
  readonly timeMs: number;
  readonly eventsTotal: number;
}

const MOST_PARTITIONS = PARTITION_COUNTS.at(-1) ?? 1;
const SCAN_COUNT = 1_000;
const RECORD_CLASSES = ['wallet', 'promotion', 'order', 'account', 'usage', 'pool'] as const;

/** One partition of one server; see the module's comment. Methods throw what the driver throws. */
export class RebuildTarget {
  private readonly redis: Redis;
  private readonly keys: PartitionKeys;
  /** Names the rebuild, so that two of them cannot mix. */
  private readonly name: string;

  constructor(redis: Redis, partition: number, name: string) {
    this.redis = redis;
    // Names alone are asked for, and they are the same however many partitions there are.
    this.keys = partitionKeys(partition, MOST_PARTITIONS);
    this.name = name;
  }

  /** Looks, and changes nothing. */
  async look(): Promise<PartitionLook> {
    const { stream, meta } = this.keys;
    const [info, fields, oldest, newest] = await Promise.all([
      this.redis.info('server'),
      this.redis.hmget(meta, 'open', 'generation'),
      this.redis.xrange(stream, '-', '+', 'COUNT', 1),
      this.redis.xrevrange(stream, '+', '-', 'COUNT', 1),
    ]);
    const [open, generation] = fields;
    return {
      isOpen: open !== null && open !== undefined && info.includes(`run_id:${open}`),
      generation: generation ? Number(generation) : undefined,
      firstSeq: seqOf(oldest[0]),
      lastSeq: seqOf(newest[0]),
      hasKeys: oldest.length > 0 || (await this.hasKeys()),
    };
  }

  /** The bytes of one entry, if the stream has it. */
  async entry(generation: number, seq: number): Promise<Buffer | undefined> {
    const id = `${generation}-${seq}`;
    const [entry] = await this.redis.xrangeBuffer(this.keys.stream, id, id);
    return entry?.[1][1];
  }

  /** Closes the partition, takes it for this rebuild, and removes everything else that is in it. Answers how many keys went. */
  async empty(onProgress: (keys: number) => void): Promise<number> {
    const { meta } = this.keys;
    await carryOut(this.redis.multi().del(meta).hset(meta, 'rebuild', this.name));
    let removed = 0;
    for await (const names of this.pages()) {
      const gone = names.filter((name) => name !== meta);
      if (gone.length > 0) removed += await this.redis.unlink(...gone);
      onProgress(removed);
    }
    return removed;
  }

  /** Closes the partition for good, with an event that tells so. Throws when it is of another generation. */
  async close(generation: number): Promise<void> {
    const { stream, meta } = this.keys;
    if ((await runScript(this.redis, 'close', [stream, meta], [generation])) !== 1)
      throw new Error(`the partition is not of generation ${generation}`);
  }

  /** Lets go of the partition: whoever keeps its gate may go on with it. */
  async release(): Promise<void> {
    await this.redis.hdel(this.keys.meta, 'rebuild');
  }

  /** Writes records whole. Throws when the partition is not this rebuild's any more. */
  async put(records: readonly RebuiltRecord[]): Promise<void> {
    const filled = records.filter(({ fields }) => fields.size > 0);
    if (filled.length === 0) return;
    const keys = [this.keys.meta, ...filled.map((record) => this.keyOf(record))];
    const args: (string | Buffer)[] = [this.name];
    for (const { target, fields } of filled) {
      args.push(target === 'due' ? 'zset' : 'hash', String(fields.size));
      for (const [name, value] of fields) args.push(Buffer.from(name, 'latin1'), value);
    }
    if ((await runScript(this.redis, 'restore', keys, args)) !== 1)
      throw new Error('the partition was taken from this rebuild: another one runs, or somebody opened it');
  }

  /** Puts the entry at the archive's cursor into the stream, so that the next one continues it. The partition stays closed. */
  async finish(place: RebuiltPlace): Promise<void> {
    const { stream, meta } = this.keys;
    const { generation, partitions, seq, payload, timeMs, eventsTotal } = place;
    const transaction = this.redis
      .multi()
      .del(stream)
      .xadd(stream, `${generation}-${seq}`, 'e', payload)
      .hset(meta, { generation, partitions, time: timeMs, events: eventsTotal })
      .hset(meta, { archivedSeq: seq, archivedEvents: eventsTotal })
      .hdel(meta, 'rebuild', 'open');
    await carryOut(transaction);
  }

  /** Closes the gate until whoever keeps it opens it again. */
  async shut(): Promise<void> {
    await this.redis.hdel(this.keys.meta, 'open');
  }

  /** Everything the partition holds, page by page; a record may come twice. */
  async *records(): AsyncGenerator<RebuiltRecord[]> {
    for await (const names of this.pages()) {
      const named = names.flatMap((name) => this.recordOf(name) ?? []);
      yield await Promise.all(named.map((record) => this.filled(record)));
    }
  }

  /** What a key names; undefined for the stream, its keeper's notes, and what is no part of the ledger. */
  private recordOf(key: string): Pick<RebuiltRecord, 'target' | 'id'> | undefined {
    if (key === this.keys.index) return { target: 'index', id: '' };
    if (key === this.keys.due) return { target: 'due', id: '' };
    const target = RECORD_CLASSES.find((name) => key.startsWith(this.keys[`${name}Prefix`]));
    return target && { target, id: key.slice(this.keys[`${target}Prefix`].length) };
  }

  private async filled(record: Pick<RebuiltRecord, 'target' | 'id'>): Promise<RebuiltRecord> {
    const key = this.keyOf(record);
    const parts =
      record.target === 'due'
        ? await this.redis.callBuffer('ZRANGE', [key, 0, -1, 'WITHSCORES'])
        : await this.redis.callBuffer('HGETALL', [key]);
    const fields = new Map<string, Buffer>();
    const all: readonly Buffer[] = Array.isArray(parts) ? parts : [];
    for (let at = 0; at + 1 < all.length; at += 2) {
      const [name, value] = all.slice(at, at + 2);
      if (name && value) fields.set(name.toString('latin1'), value);
    }
    return { ...record, fields };
  }

  private async hasKeys(): Promise<boolean> {
    for await (const names of this.pages()) if (names.length > 0) return true;
    return false;
  }

  private async *pages(): AsyncGenerator<string[]> {
    const pattern = this.keys.stream.replace(/stream$/, '*');
    let cursor = '0';
    do {
      const [next, names] = await this.redis.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
      yield names;
      cursor = next;
    } while (cursor !== '0');
  }

  private keyOf({ target, id }: Pick<RebuiltRecord, 'target' | 'id'>): string {
    if (target === 'index' || target === 'due') return this.keys[target];
    return this.keys[`${target}Prefix`] + id;
  }
}

function seqOf(entry: [id: string, fields: string[]] | undefined): number | undefined {
  return entry === undefined ? undefined : Number(entry[0].split('-')[1]);
}

async function carryOut(transaction: ChainableCommander): Promise<void> {
  const results = await transaction.exec();
  if (results === null) throw new Error('the server did not carry the transaction out');
  for (const [error] of results) if (error !== null) throw error;
}
