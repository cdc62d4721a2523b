/**
 * The only place that knows a Redis key's name.
 *
 * Every key of a partition carries the partition's hash tag, so each script works on one slot. Tags come from a table, not
 * from a counter, because the slots of counted names (`p0`, `p1`, …) do not lie evenly over the nodes of a cluster. One
 * Redis needs one partition.
 */
const HASH_TAGS = ['p0'] as const;

/** Names of the keys of one partition. Names are short: a wallet's name is paid for once per user. */
export interface PartitionKeys {
  /** The stream of entries. */
  readonly stream: string;
  /** Hash: open, generation, time, events, archivedSeq, archivedEvents. */
  readonly meta: string;
  /** Hash: promotion id → ref. */
  readonly index: string;
  /** Prefix of wallets; the user id follows. */
  readonly walletPrefix: string;
  /** Prefix of promotion records; the ref in decimal follows. */
  readonly promotionPrefix: string;
  /** Prefix of orders; user id, `/` and order id follow. */
  readonly orderPrefix: string;
  /** Prefix of accounts; the user id follows. */
  readonly accountPrefix: string;
  /** Prefix of usage records; the promotion's ref in decimal follows. */
  readonly usagePrefix: string;
  /** Sorted set: `<user>/<order>` by the instant its reservation is due, ms since the epoch. */
  readonly due: string;
}

/** The number of partitions of this generation. */
export const PARTITIONS = HASH_TAGS.length;

function keysOf(tag: string): PartitionKeys {
  return {
    stream: `{${tag}}stream`,
    meta: `{${tag}}meta`,
    index: `{${tag}}index`,
    walletPrefix: `{${tag}}w:`,
    promotionPrefix: `{${tag}}d:`,
    orderPrefix: `{${tag}}o:`,
    accountPrefix: `{${tag}}a:`,
    usagePrefix: `{${tag}}u:`,
    due: `{${tag}}due`,
  };
}

const ALL_KEYS: readonly PartitionKeys[] = HASH_TAGS.map(keysOf);

/** The keys of partition `partition` (0 … {@link PARTITIONS} − 1). */
export function partitionKeys(partition: number): PartitionKeys {
  const keys = ALL_KEYS[partition];
  if (keys === undefined) throw new RangeError(`no partition ${partition}`);
  return keys;
}

/** Keys that count who tries codes: no part of the ledger, and gone by themselves after their windows. */
export function guessKeys(name: string): { attempts: string; wrong: string; locked: string } {
  const tag = `{${HASH_TAGS[0]}}guess:${name}`;
  return { attempts: `${tag}:a`, wrong: `${tag}:w`, locked: `${tag}:l` };
}
