/**
 * The ledger as its keeper sees it: the stream, the gate and the records, for the archive, the gatekeeper and the audit.
 * Bound to one generation and one partition. Methods throw what the driver throws; every call has the connection's time-out.
 */
import type { Redis } from 'ioredis';
import { appliedValue, decodeEntry, type LedgerEntry, type Write } from './event-format.ts';
import { type PartitionKeys, partitionKeys } from './keys.ts';
import { callPartition, fixedConnection, type PartitionConnection } from './partition-connection.ts';
import { runScript } from './script-runner.ts';

/** Classes of records of which there are many, beside wallets and promotions. */
export type RecordClass = 'order' | 'account' | 'usage' | 'pool';

/** One entry of the stream. */
export interface StreamEntry {
  readonly seq: number;
  readonly payload: Buffer;
}

/** Records returned per step of a scan, about. */
const SCAN_COUNT = 500;

function payloadOf(fields: unknown): Buffer {
  const payload = Array.isArray(fields) ? fields[1] : undefined;
  if (!Buffer.isBuffer(payload)) throw new TypeError('a stream entry without a payload');
  return payload;
}

function entriesOf(reply: unknown): StreamEntry[] {
  if (!Array.isArray(reply)) return [];
  return reply.map(([id, fields]: [Buffer, unknown]) => ({
    seq: Number(id.toString('latin1').split('-')[1]),
    payload: payloadOf(fields),
  }));
}

/** Administration of one partition of one generation. */
export class LedgerAdmin {
  private readonly connection: PartitionConnection;
  private readonly generation: number;
  private readonly keys: PartitionKeys;

  /**
   * @param at the connection of the partition, or to a server that always holds it
   * @param partitions how many there are; the partition cannot be opened when it knows of another number
   */
  constructor(at: PartitionConnection | Redis, generation: number, partition: number, partitions = 1) {
    this.connection = 'failed' in at ? at : fixedConnection(at);
    this.generation = generation;
    this.keys = partitionKeys(partition, partitions);
  }

  /** Identity of the server process that answers now. */
  async serverRunId(): Promise<string> {
    const runId = /^run_id:([0-9a-f]+)/m.exec(await this.on((redis) => redis.info('server')))?.[1];
    if (runId === undefined) throw new TypeError('the server does not tell its run id');
    return runId;
  }

  /** What the server's clock says, ms since the epoch; undefined when it does not tell. */
  async serverTimeMs(): Promise<number | undefined> {
    const micros = /^server_time_usec:(\d+)/m.exec(await this.on((redis) => redis.info('server')))?.[1];
    return micros === undefined ? undefined : Math.floor(Number(micros) / 1_000);
  }

  /** Identity of the server process the partition is open for; undefined when it never was opened. */
  async openRunId(): Promise<string | undefined> {
    return (await this.on((redis) => redis.hget(this.keys.meta, 'open'))) ?? undefined;
  }

  /** Number of the newest entry; undefined when the stream is empty. */
  async lastSeq(): Promise<number | undefined> {
    const reply = await this.on((redis) =>
      redis.callBuffer('XREVRANGE', [this.keys.stream, '+', '-', 'COUNT', 1]),
    );
    return entriesOf(reply)[0]?.seq;
  }

  /** Number of the oldest entry still kept; undefined when the stream is empty. */
  async firstSeq(): Promise<number | undefined> {
    const reply = await this.on((redis) =>
      redis.callBuffer('XRANGE', [this.keys.stream, '-', '+', 'COUNT', 1]),
    );
    return entriesOf(reply)[0]?.seq;
  }

  /** Entries after `fromSeqExclusive` (−1 = from the start), oldest first, at most `maxEntries`. */
  async readEntries(fromSeqExclusive: number, maxEntries: number): Promise<StreamEntry[]> {
    const from = `${this.generation}-${fromSeqExclusive + 1}`;
    const reply = await this.on((redis) =>
      redis.callBuffer('XRANGE', [this.keys.stream, from, '+', 'COUNT', maxEntries]),
    );
    return entriesOf(reply);
  }

  /** The payload of one entry, if it is still kept. */
  async readEntry(seq: number): Promise<Buffer | undefined> {
    const id = `${this.generation}-${seq}`;
    const reply = await this.on((redis) => redis.callBuffer('XRANGE', [this.keys.stream, id, id]));
    return entriesOf(reply)[0]?.payload;
  }

  /**
   * Replays archived entries into a closed partition that lost them. `expectedLastSeq` is the stream's newest entry
   * (undefined = empty); throws when it is another one, so that two keepers cannot mix their replays.
   */
  async applyEntries(entries: readonly StreamEntry[], expectedLastSeq: number | undefined): Promise<void> {
    let expected = expectedLastSeq;
    for (const entry of entries) {
      const { keys, args } = this.applyCall(entry, expected);
      const applied = await this.on((redis) => runScript(redis, 'apply', keys, args));
      if (applied !== 1)
        throw new Error(`entry ${entry.seq} was not applied: the partition is open or has moved on`);
      expected = entry.seq;
    }
  }

  /** Opens the partition for the server process `runId`; false when another one answers by now. */
  async open(runId: string): Promise<boolean> {
    const args = [runId, this.generation, this.keys.partitions];
    const reply = await this.on((redis) =>
      runScript(redis, 'open', [this.keys.stream, this.keys.meta], args),
    );
    return reply === 1;
  }

  /** Tells the scripts how far the archive is, for the backlog limit. A hint: it changes no state a claim depends on. */
  async publishArchived(seq: number, eventsTotal: number): Promise<void> {
    await this.on((redis) => redis.hset(this.keys.meta, { archivedSeq: seq, archivedEvents: eventsTotal }));
  }

  /** Removes entries older than `seq`; answers how many. */
  async trimBelow(seq: number): Promise<number> {
    return await this.on((redis) => redis.xtrim(this.keys.stream, 'MINID', `${this.generation}-${seq}`));
  }

  /** Every field of a wallet, names in hex. */
  async readWalletFields(userId: string): Promise<Map<string, Buffer>> {
    return await this.readFields(this.keys.walletPrefix + userId, 'hex');
  }

  /** Every field of a promotion record. */
  async readPromotionFields(ref: number): Promise<Map<string, Buffer>> {
    return await this.readFields(this.keys.promotionPrefix + ref, 'latin1');
  }

  /** Every field of many wallets in one round trip, in the order asked. */
  async readWallets(userIds: readonly string[]): Promise<Map<string, Buffer>[]> {
    return await this.readMany(
      userIds.map((userId) => this.keys.walletPrefix + userId),
      'hex',
    );
  }

  /** A step over all wallets: user ids, and the cursor to go on with ('0' at the end). A user may come twice. */
  async scanWalletUsers(cursor: string): Promise<{ cursor: string; userIds: string[] }> {
    const pattern = `${this.keys.walletPrefix}*`;
    const [next, names] = await this.on((redis) => redis.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT));
    return { cursor: next, userIds: names.map((name) => name.slice(this.keys.walletPrefix.length)) };
  }

  /** Every field of many records of one class in one round trip, names as latin1 text, in the order asked. */
  async readRecords(target: RecordClass, ids: readonly string[]): Promise<Map<string, Buffer>[]> {
    const prefix = this.prefixOf(target);
    return await this.readMany(
      ids.map((id) => prefix + id),
      'latin1',
    );
  }

  /** A step over all records of one class: their ids, and the cursor to go on with ('0' at the end). An id may come twice. */
  async scanRecords(target: RecordClass, cursor: string): Promise<{ cursor: string; ids: string[] }> {
    const prefix = this.prefixOf(target);
    const [next, names] = await this.on((redis) =>
      redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', SCAN_COUNT),
    );
    return { cursor: next, ids: names.map((name) => name.slice(prefix.length)) };
  }

  /** When the given orders lapse (ms), in the order asked; undefined where none is in the due set. */
  async readDue(members: readonly string[]): Promise<(number | undefined)[]> {
    if (members.length === 0) return [];
    const scores = await this.on((redis) => redis.zmscore(this.keys.due, ...members));
    return scores.map((score) => (score === null ? undefined : Number(score)));
  }

  /** A step over the due set: `<user>/<order>`s, and the cursor to go on with ('0' at the end). A member may come twice. */
  async scanDue(cursor: string): Promise<{ cursor: string; ids: string[] }> {
    const [next, parts] = await this.on((redis) => redis.zscan(this.keys.due, cursor, 'COUNT', SCAN_COUNT));
    return { cursor: next, ids: parts.filter((_part, index) => index % 2 === 0) };
  }

  /** Makes a call where the partition is now. */
  private on<Answer>(call: (redis: Redis) => Promise<Answer>): Promise<Answer> {
    return callPartition(this.connection, call);
  }

  private async readMany(
    keys: readonly string[],
    encoding: 'hex' | 'latin1',
  ): Promise<Map<string, Buffer>[]> {
    return await this.on(async (redis) => {
      const pipeline = redis.pipeline();
      for (const key of keys) pipeline.callBuffer('HGETALL', [key]);
      const results = (await pipeline.exec()) ?? [];
      return results.map(([error, reply]) => {
        if (error) throw error;
        return fieldMap(reply, encoding);
      });
    });
  }

  private async readFields(key: string, encoding: 'hex' | 'latin1'): Promise<Map<string, Buffer>> {
    return fieldMap(await this.on((redis) => redis.callBuffer('HGETALL', [key])), encoding);
  }

  private applyCall(
    entry: StreamEntry,
    expected: number | undefined,
  ): { keys: string[]; args: (string | Buffer)[] } {
    const decoded = decodeEntry(entry.payload);
    const writes = writesOf(decoded);
    const args: (string | Buffer)[] = [
      String(this.generation),
      String(entry.seq),
      expected === undefined ? '' : String(expected),
      entry.payload,
      String(decoded.timeMs),
      String(decoded.eventsTotal),
    ];
    for (const write of writes) args.push(...applyArguments(write, entry.seq));
    return { keys: [this.keys.stream, this.keys.meta, ...writes.map((write) => this.keyOf(write))], args };
  }

  private keyOf({ target, id }: Write): string {
    switch (target) {
      case 'wallet':
        return this.keys.walletPrefix + id;
      case 'promotion':
        return this.keys.promotionPrefix + id;
      case 'index':
        return this.keys.index;
      case 'due':
        return this.keys.due;
      case 'order':
      case 'account':
      case 'usage':
      case 'pool':
        return this.prefixOf(target) + id;
    }
  }

  private prefixOf(target: RecordClass): string {
    return this.keys[`${target}Prefix`];
  }
}

/** What the apply script needs to know of one record; a sorted set is stored otherwise than a hash. */
function applyArguments({ target, fields }: Write, seq: number): (string | Buffer)[] {
  const args: (string | Buffer)[] = [target === 'due' ? 'zset' : 'hash', String(fields.length)];
  for (const { field, value } of fields) {
    const applied = appliedValue(field, value, seq);
    args.push(field, applied === undefined ? '0' : '1', applied ?? '');
  }
  return args;
}

function fieldMap(reply: unknown, encoding: 'hex' | 'latin1'): Map<string, Buffer> {
  const parts: Buffer[] = Array.isArray(reply) ? reply : [];
  const fields = new Map<string, Buffer>();
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const [name, value] = parts.slice(index, index + 2);
    if (name && value) fields.set(name.toString(encoding), value);
  }
  return fields;
}

/** The writes of an entry in order; a later write of the same record wins by coming later. */
function writesOf(entry: LedgerEntry): Write[] {
  return entry.events.flatMap((event) => event.writes);
}
