/** Everything that is in a Redis, for tests that compare it before and after. */
import type { Redis } from 'ioredis';

/** Keys with their hash fields or members, in hex where they are bytes. The stream and what its keeper notes are left out. */
export type RedisRecords = Readonly<Record<string, Readonly<Record<string, string>>>>;

const PASSED_OVER = /\}(stream|meta|guess:.*)$/;

/** Reads all records of the ledger. */
export async function redisRecords(redis: Redis): Promise<RedisRecords> {
  const names = (await redis.keys('*')).filter((name) => !PASSED_OVER.test(name)).sort();
  const records = await Promise.all(names.map(async (name) => [name, await fieldsOf(redis, name)] as const));
  return Object.fromEntries(records);
}

async function fieldsOf(redis: Redis, name: string): Promise<Record<string, string>> {
  const isSet = (await redis.type(name)) === 'zset';
  const parts = isSet
    ? await redis.zrangeBuffer(name, 0, -1, 'WITHSCORES')
    : ((await redis.callBuffer('HGETALL', [name])) as Buffer[]);
  const fields: [string, string][] = [];
  for (let at = 0; at + 1 < parts.length; at += 2)
    fields.push([parts[at]?.toString('hex') ?? '', parts[at + 1]?.toString('hex') ?? '']);
  return Object.fromEntries(fields.sort(([one], [other]) => (one < other ? -1 : 1)));
}
