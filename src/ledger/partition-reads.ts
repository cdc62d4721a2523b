/** Reads of the live state of one partition. They see every write acknowledged before them. */
import type { ChainableCommander, Redis } from 'ioredis';
import { Refusal } from '../domain/refusal.ts';
import { buffers, fieldsByName } from './hash-reply.ts';
import type { PartitionKeys } from './keys.ts';
import { RECORDS_PER_READ } from './limits.ts';
import type { PartitionConnection } from './partition-connection.ts';
import {
  claimCounterField,
  PROMOTION_FIELDS,
  type RecordField,
  SEQUENCE_FIELD,
  WALLET_FIELDS,
} from './record-fields.ts';
import { recordKey } from './record-key.ts';
import { RecordReads } from './record-reads.ts';
import type { RecordName } from './transaction.ts';
import { type HolderAsk, type HolderState, readHolders, readKeptWallets } from './user-reads.ts';
import { type KeptWallet, type WalletCoupon, walletCoupon, walletCoupons } from './wallet.ts';

/**
 * Counters of one promotion. `issued` is what stock is judged by: coupons whose stock came back with their revoke count in
 * `returned` instead, which is absent while there are none. `received` is absent when the quantity is unlimited.
 */
export interface Stock {
  readonly ref: number;
  readonly issued: number;
  readonly received?: number;
  readonly returned?: number;
  /** Claims of the user who was asked about, for life. */
  readonly claimedByUser: number;
}

/** Which entry of a stream. */
export interface EntryPlace {
  readonly generation: number;
  readonly seq: number;
}

/** A promotion as the ledger keeps it beside Postgres. */
export interface StoredBody {
  readonly ref: number;
  readonly version: number;
  readonly body: Uint8Array;
}

/** Bytes of the sequence number a record's mark begins with. */
const SEQUENCE_BYTES = 6;
/** Refs read per pipeline while all bodies are read. */
const BODIES_PER_PIPELINE = 500;
/** Offset of the version in a live definition; see `live-definition.ts`. */
const VERSION_OFFSET = 3;

async function run(pipeline: ChainableCommander): Promise<unknown[]> {
  const results = (await pipeline.exec()) ?? [];
  return results.map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}

function nameOf({ name }: RecordField): string {
  return name;
}

function stockOf(ref: number, record: unknown, claimed: unknown): Stock {
  const [issued, received, returned] = buffers(record);
  const quantity =
    received === null || received === undefined || received.length === 0 ? undefined : Number(received);
  return {
    ref,
    issued: Number(issued ?? 0),
    ...(quantity === undefined ? {} : { received: quantity }),
    ...(returned ? { returned: Number(returned) } : {}),
    claimedByUser: Number(buffers(claimed)[0] ?? 0),
  };
}

const STOCK_FIELDS = [PROMOTION_FIELDS.issued, PROMOTION_FIELDS.received, PROMOTION_FIELDS.returned].map(
  nameOf,
);
const BODY_FIELDS = [PROMOTION_FIELDS.definition, PROMOTION_FIELDS.body].map(nameOf);

/**
 * Throws LEDGER_CLOSED unless the partition is open for the server that answers. One that has just taken over may lack what it
 * is about to get back, so nothing may be decided on what it holds.
 */
function requireServedBy(info: unknown, openFor: unknown): void {
  const runId = /^run_id:([0-9a-f]+)/m.exec(String(info))?.[1];
  if (runId === undefined || runId !== openFor) throw new Refusal('LEDGER_CLOSED', 'the partition is closed');
}

/**
 * The reading side of one partition. Methods throw what the driver throws. What they see may be lost with its server, and where
 * nothing else is said a partition that is not open answers too: such a read is for showing, and nothing is promised or refused
 * for good by it.
 */
export class PartitionReads {
  private readonly connection: PartitionConnection;
  private readonly keys: PartitionKeys;
  private readonly gathered: RecordReads<Map<string, Buffer>>;

  constructor(connection: PartitionConnection, keys: PartitionKeys) {
    this.connection = connection;
    this.gathered = new RecordReads((wanted) => this.hashes(wanted));
    this.keys = keys;
  }

  /** The server that holds the partition now. */
  private get redis(): Redis {
    return this.connection.redis();
  }

  /** Counters of promotions, in the order asked; a promotion the partition does not know counts zero. */
  async stock(refs: readonly number[], userId: string | undefined): Promise<Stock[]> {
    const pipeline = this.redis.pipeline();
    for (const ref of refs) {
      pipeline.hmgetBuffer(this.keys.promotionPrefix + ref, ...STOCK_FIELDS);
      if (userId !== undefined) pipeline.hmgetBuffer(this.keys.walletPrefix + userId, claimCounterField(ref));
    }
    const replies = await run(pipeline);
    const step = userId === undefined ? 1 : 2;
    return refs.map((ref, index) =>
      stockOf(ref, replies[index * step], step === 2 ? replies[index * step + 1] : undefined),
    );
  }

  /** The oldest entry the stream still has; undefined when it is empty. */
  async oldestEntry(): Promise<EntryPlace | undefined> {
    const reply = await this.redis.xrange(this.keys.stream, '-', '+', 'COUNT', 1);
    const [generation, seq] = (reply[0]?.[0] ?? '').split('-').map(Number);
    return generation === undefined || seq === undefined ? undefined : { generation, seq };
  }

  /** Every coupon of a wallet, newest first. */
  async wallet(userId: string): Promise<WalletCoupon[]> {
    const reply = await this.redis.callBuffer('HGETALL', [this.keys.walletPrefix + userId]);
    return walletCoupons(buffers(reply).filter((part) => part !== null));
  }

  /** Several wallets in one round trip, each with the number of coupons that left it for the archive. */
  async keptWallets(userIds: readonly string[]): Promise<KeptWallet[]> {
    return await readKeptWallets(this.redis, this.keys, userIds);
  }

  /** How many coupons left the wallet for the archive. */
  async retiredCount(userId: string): Promise<number> {
    return Number(
      (await this.redis.hgetBuffer(this.keys.walletPrefix + userId, WALLET_FIELDS.retired.bytes)) ?? 0,
    );
  }

  /**
   * Wallets and accounts of several users in one round trip, in the order asked: of every coupon its
   * field of 16 bytes and its value of 30, in no stated order; nothing when the wallet was not asked for.
   */
  async holders(asks: readonly HolderAsk[]): Promise<HolderState[]> {
    return await readHolders(this.redis, this.keys, asks);
  }

  /** Some fields of some records in one round trip, in the order asked; null where there is no such field. */
  async fields(
    asks: readonly { readonly on: RecordName; readonly fields: readonly Buffer[] }[],
  ): Promise<(Buffer | null)[][]> {
    const pipeline = this.redis.pipeline();
    for (const { on, fields } of asks) pipeline.hmgetBuffer(recordKey(this.keys, on), ...fields);
    return (await run(pipeline)).map(buffers);
  }

  /** Number of the entry that last changed anything of the user; undefined while nothing did. */
  async lastSeq(userId: string): Promise<number | undefined> {
    const mark = await this.redis.hgetBuffer(this.keys.walletPrefix + userId, SEQUENCE_FIELD.bytes);
    return mark === null ? undefined : mark.readUIntBE(0, SEQUENCE_BYTES);
  }

  /** One coupon of a wallet by its field. That there is none is said of an open partition only: throws LEDGER_CLOSED. */
  async coupon(userId: string, fieldHex: string): Promise<WalletCoupon | undefined> {
    const field = Buffer.from(fieldHex, 'hex');
    const key = this.keys.walletPrefix + userId;
    const value = (await this.redis.hgetBuffer(key, field)) ?? (await this.ifOpen(key, field));
    return value === null ? undefined : walletCoupon(field, value);
  }

  /**
   * All fields of some records by name (latin1), in the order asked; empty where there is no such record. For deciding: throws
   * LEDGER_CLOSED while the partition is.
   */
  async records(names: readonly RecordName[]): Promise<Map<string, Buffer>[]> {
    const records: Map<string, Buffer>[] = [];
    for (let start = 0; start < names.length; start += RECORDS_PER_READ) {
      const keys = names.slice(start, start + RECORDS_PER_READ).map((name) => recordKey(this.keys, name));
      records.push(...(await this.gathered.read(keys)));
    }
    return records;
  }

  private async ifOpen(key: string, field: Buffer): Promise<Buffer | null> {
    const pipeline = this.redis.pipeline().info('server').hget(this.keys.meta, 'open');
    const [info, openFor, value] = await run(pipeline.hgetBuffer(key, field));
    requireServedBy(info, openFor);
    return Buffer.isBuffer(value) ? value : null;
  }

  private async hashes(keys: readonly string[]): Promise<Map<string, Buffer>[]> {
    const pipeline = this.redis.pipeline().info('server').hget(this.keys.meta, 'open');
    for (const key of keys) pipeline.callBuffer('HGETALL', [key]);
    const [info, openFor, ...replies] = await run(pipeline);
    requireServedBy(info, openFor);
    return replies.map((reply) => fieldsByName(buffers(reply)));
  }

  /** Members of the due set whose instant is at or before `untilMs`, longest overdue first. */
  async dueOrders(untilMs: number, limit: number): Promise<string[]> {
    return await this.redis.zrangebyscore(this.keys.due, '-inf', untilMs, 'LIMIT', 0, limit);
  }

  /** The ref this partition knows a promotion id by; undefined when it does not. */
  async refOf(promotionId: string): Promise<number | undefined> {
    const ref = await this.redis.hget(this.keys.index, promotionId);
    return ref === null ? undefined : Number(ref);
  }

  /** The stored promotions, so that a process can start while Postgres is down. */
  async definitionBodies(): Promise<StoredBody[]> {
    const refs = Object.values(await this.redis.hgetall(this.keys.index));
    const bodies: StoredBody[] = [];
    for (let start = 0; start < refs.length; start += BODIES_PER_PIPELINE) {
      bodies.push(...(await this.bodiesOf(refs.slice(start, start + BODIES_PER_PIPELINE))));
    }
    return bodies;
  }

  private async bodiesOf(refs: readonly string[]): Promise<StoredBody[]> {
    const pipeline = this.redis.pipeline();
    for (const ref of refs) pipeline.hmgetBuffer(this.keys.promotionPrefix + ref, ...BODY_FIELDS);
    const replies = await run(pipeline);
    return replies.flatMap((reply, index) => {
      const [definition, body] = buffers(reply);
      if (!definition || !body) return [];
      return [{ ref: Number(refs[index]), version: definition.readUInt32BE(VERSION_OFFSET), body }];
    });
  }
}
