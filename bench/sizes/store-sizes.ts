/** How much both stores hold at a moment. */
import type { Redis } from 'ioredis';
import type { Sql } from 'postgres';
import { readStreamBytes, readWalletBytes } from '../wallet-memory.ts';

/** Bytes by table of Postgres, indexes and everything else of it included. */
export type TableBytes = Readonly<Record<string, number>>;

/** One look. */
export interface StoreSizes {
  /** Of Redis, without the stream of events. */
  readonly redisBytes: number;
  /** Of the stream of events. */
  readonly streamBytes: number;
  readonly tables: TableBytes;
  /** Of the write-ahead log, since the cluster was made. */
  readonly walBytes: number;
}

/** What is needed to look. */
export interface StoreConnections {
  readonly redis: Redis;
  readonly sql: Sql;
}

/** Looks at both. */
export async function readSizes({ redis, sql }: StoreConnections): Promise<StoreSizes> {
  const tables = await sql<{ name: string; bytes: string }[]>`
    SELECT coalesce(parent.relname, t.relname) AS name, sum(pg_total_relation_size(t.oid)) AS bytes
    FROM pg_class t
    LEFT JOIN pg_inherits i ON i.inhrelid = t.oid
    LEFT JOIN pg_class parent ON parent.oid = i.inhparent
    WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace
    GROUP BY 1`;
  const [wal] = await sql<{ bytes: string }[]>`SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS bytes`;
  return {
    redisBytes: await readWalletBytes(redis),
    streamBytes: await readStreamBytes(redis),
    tables: Object.fromEntries(tables.map(({ name, bytes }) => [name, Number(bytes)])),
    walBytes: Number(wal?.bytes),
  };
}

/** Bytes per operation by which the stores grew. */
export interface Growth {
  readonly redisBytes: number;
  readonly postgresBytes: number;
  /** Tables that grew by a byte or more. */
  readonly tables: TableBytes;
  readonly walBytes: number;
}

/** What `operations` added. */
export function growthOf(before: StoreSizes, after: StoreSizes, operations: number): Growth {
  const each = Object.entries(after.tables).map(
    ([name, bytes]) => [name, Math.round((bytes - (before.tables[name] ?? 0)) / operations)] as const,
  );
  const tables = each.filter(([, bytes]) => bytes >= 1).toSorted(([, left], [, right]) => right - left);
  return {
    redisBytes: Math.round((after.redisBytes - before.redisBytes) / operations),
    postgresBytes: tables.reduce((sum, [, bytes]) => sum + bytes, 0),
    tables: Object.fromEntries(tables),
    walBytes: Math.round((after.walBytes - before.walBytes) / operations),
  };
}
