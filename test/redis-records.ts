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
  const reply = isSet
    ? await redis.callBuffer('ZRANGE', [name, 0, -1, 'WITHSCORES'])
    : await redis.callBuffer('HGETALL', [name]);
  const parts: readonly Buffer[] = Array.isArray(reply) ? reply : [];
  const fields: [string, string][] = [];
  for (let at = 0; at + 1 < parts.length; at += 2)
    fields.push([parts[at]?.toString('hex') ?? '', parts[at + 1]?.toString('hex') ?? '']);
  return Object.fromEntries(fields.sort(([one], [other]) => (one < other ? -1 : 1)));
}

const SEQUENCE_FIELD = Buffer.from('@').toString('hex');
const SEQUENCE_DIGITS = 12;

/** The records without the numbers of their last events, which another generation has others for. */
export function unnumbered(records: RedisRecords): RedisRecords {
  return Object.fromEntries(
    Object.entries(records).map(([key, fields]) => {
      const mark = fields[SEQUENCE_FIELD];
      return [
        key,
        mark === undefined ? fields : { ...fields, [SEQUENCE_FIELD]: mark.slice(SEQUENCE_DIGITS) },
      ];
    }),
  );
}
