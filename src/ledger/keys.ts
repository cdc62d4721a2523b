/**
 * The only place that knows a Redis key's name, and which partition holds what.
 *
 * Every key of a partition carries the partition's hash tag, so each script works on one slot. Tags come from a table, not
 * from a counter, because the slots of counted names (`p0`, `p1`, …) do not lie evenly over the nodes of a cluster. The
 * first 2, 4, 8 … tags of this table lie evenly too: each halves the widest gap of those before it.
 */
// biome-ignore format: a table, eight to a line
const HASH_TAGS = [
  'p0', 'pat', 'ppv', 'p5f', 'piy', 'pha', 'pv', 'pyc',
  'puh', 'p0x', 'pdj', 'per', 'plg', 'p9s', 'p9m', 'p8u',
  'pzx', 'pc1', 'pkz', 'pjb', 'pcw', 'pbo', 'pru', 'p7e',
  'pfi', 'pgq', 'p3c', 'pvs', 'p4o', 'p6c', 'pnd', 'pci',
  'px5', 'pf9', 'p4v', 'pi7', 'piq', 'p40', 'pxs', 'pyk',
  'pm1', 'p0p', 'pdb', 'pez', 'p06', 'pmw', 'p9e', 'pst',
  'pzp', 'pc9', 'pkr', 'p63', 'p8c', 'pz6', 'p6u', 'pk4',
  'pfa', 'pgy', 'po2', 'p2s', 'p4g', 'pqw', 'p25', 'pot',
] as const;

/** Names of the keys of one partition. Names are short: a wallet's name is paid for once per user. */
export interface PartitionKeys {
  /** How many partitions there are, in decimal: scripts refuse to work for a caller who counts otherwise. */
  readonly partitions: string;
  /** The stream of entries. */
  readonly stream: string;
  /** Hash: open, generation, partitions, time, events, archivedSeq, archivedEvents. */
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
  /** Prefix of pools, which exist in a promotion's home partition; the ref in decimal follows. */
  readonly poolPrefix: string;
  /** Sorted set: `<user>/<order>` by the instant its reservation is due, ms since the epoch. */
  readonly due: string;
}

/** Numbers of partitions a ledger may have: those whose tags lie evenly. */
export const PARTITION_COUNTS = [1, 2, 4, 8, 16, 32, 64] as const;

function keysOf(tag: string, partitions: number): PartitionKeys {
  return {
    partitions: String(partitions),
    stream: `{${tag}}stream`,
    meta: `{${tag}}meta`,
    index: `{${tag}}index`,
    walletPrefix: `{${tag}}w:`,
    promotionPrefix: `{${tag}}d:`,
    orderPrefix: `{${tag}}o:`,
    accountPrefix: `{${tag}}a:`,
    usagePrefix: `{${tag}}u:`,
    poolPrefix: `{${tag}}q:`,
    due: `{${tag}}due`,
  };
}

function tagOf(partition: number): string {
  const tag = HASH_TAGS[partition];
  if (tag === undefined) throw new RangeError(`no partition ${partition}`);
  return tag;
}

/** The keys of partition `partition` (0 …) of a ledger with so many. Throws RangeError when there is none of this number. */
export function partitionKeys(partition: number, partitions = 1): PartitionKeys {
  if (partition >= partitions) throw new RangeError(`no partition ${partition} of ${partitions}`);
  return keysOf(tagOf(partition), partitions);
}

const FNV_OFFSET = 0x81_1c_9d_c5;
const FNV_PRIME = 0x01_00_01_93;
const MIX = 0x85_eb_ca_6b;

/** A hash of a text, 32 bits whose lower ones are as good as the others (FNV-1a over UTF-16 units, mixed once more). */
function hashOf(text: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
  hash = Math.imul(hash ^ (hash >>> 16), MIX);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** The partition that holds everything of a user. It must never change within a generation of the ledger. */
export function partitionOf(userId: string, partitions: number): number {
  return partitions === 1 ? 0 : hashOf(userId) % partitions;
}

/** The partition that holds the pool of a promotion. */
export function homePartition(promotionRef: number, partitions: number): number {
  return promotionRef % partitions;
}

/** Slots of a Redis Cluster. */
const CLUSTER_SLOTS = 16_384;
const CRC16_POLYNOMIAL = 0x10_21;

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ ((crc & 0x80_00) === 0 ? 0 : CRC16_POLYNOMIAL);
    crc &= 0xff_ff;
  }
  return crc;
}

/** The cluster slot all keys of a partition lie in. */
export function partitionSlot(partition: number): number {
  return crc16(Buffer.from(tagOf(partition))) % CLUSTER_SLOTS;
}

/** Keys that count who tries codes: no part of the ledger, and gone by themselves after their windows. */
export function guessKeys(
  name: string,
  partition: number,
): { attempts: string; wrong: string; locked: string } {
  const tag = `{${tagOf(partition)}}guess:${name}`;
  return { attempts: `${tag}:a`, wrong: `${tag}:w`, locked: `${tag}:l` };
}
