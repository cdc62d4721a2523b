/** Users of Redis and roles of Postgres: what is forbidden is refused, and no key of the ledger is forgotten. */
// SPEC S1
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { partitionKeys } from '../../src/ledger/keys.ts';
import { ACL, type LockedStores, startLockedStores } from './locked-down-fixture.ts';

const START_LIMIT_MS = 120_000;

let stores: LockedStores;
beforeAll(async () => {
  stores = await startLockedStores();
}, START_LIMIT_MS);
afterAll(() => stores?.stop());

describe('users of Redis', () => {
  const FORBIDDEN: readonly (readonly [string, ...string[]])[] = [
    ['CONFIG', 'GET', '*'],
    ['CONFIG', 'SET', 'appendfsync', 'no'],
    ['DEBUG', 'SLEEP', '0'],
    ['KEYS', '*'],
    ['FLUSHALL'],
    ['FLUSHDB'],
    ['SHUTDOWN', 'NOSAVE'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['RESTORE', '{p0}w:x', '0', 'x'],
    ['MIGRATE', '127.0.0.1', '1', '{p0}w:x', '0', '1'],
    ['MODULE', 'LIST'],
    ['FUNCTION', 'LIST'],
    ['SCRIPT', 'FLUSH'],
    ['SCRIPT', 'KILL'],
    ['MONITOR'],
    ['ACL', 'LIST'],
    ['SAVE'],
    ['BGREWRITEAOF'],
    ['CLIENT', 'KILL', 'ID', '1'],
    ['RENAME', '{p0}w:x', '{p0}w:y'],
    ['SUBSCRIBE', 'x'],
    ['GET', 'elsewhere'],
    ['SELECT', '1'],
  ];
  const answerOf = async (client: Redis, [name, ...parameters]: readonly [string, ...string[]]) =>
    client.call(name, parameters).then(
      () => 'carried out',
      (error: unknown) => String(error),
    );

  test.each(['engine', 'archive', 'reader', 'rebuild', 'replica'])(
    '%s may do none of what ruins',
    async (user) => {
      const client = new Redis(stores.redisUrl(user), { enableReadyCheck: false });
      client.on('error', () => undefined);
      for (const command of FORBIDDEN)
        expect(`${command[0]}: ${await answerOf(client, command)}`).toMatch(/NOPERM|not allowed/);
      const script = ['EVAL', "return redis.call('KEYS', '*')", '0'] as const;
      expect(await answerOf(client, script)).toMatch(/NOPERM|ACL failure|can't run this command/i);
      client.disconnect();
    },
  );

  test('a reader writes nothing, and nobody comes in without a password', async () => {
    const reader = new Redis(stores.redisUrl('reader'));
    for (const command of [
      ['HSET', '{p0}w:x', 'a', 'b'],
      ['XADD', '{p0}stream', '*', 'a', 'b'],
      ['DEL', '{p0}w:x'],
    ] as const)
      expect(await answerOf(reader, command)).toMatch(/NOPERM/);
    expect(await reader.hget(partitionKeys(0).meta, 'open')).toBeNull();
    reader.disconnect();
    const nobody = new Redis(`redis://127.0.0.1:${stores.redis.port}`, {
      retryStrategy: () => null,
      lazyConnect: true,
    });
    nobody.on('error', () => undefined);
    await nobody.connect().catch(() => undefined);
    expect(await answerOf(nobody, ['PING'])).toMatch(/NOAUTH|closed/i);
    nobody.disconnect();
  });

  // Redis 7 reads its append-only file as the user `default`, and leaves out in silence what that user may not do in a transaction.
  test('a restart forgets nothing that a script wrote', async () => {
    const engine = new Redis(stores.redisUrl('engine'), { enableReadyCheck: false });
    const script = "redis.call('HSET', KEYS[1], 'a', '1') redis.call('HSET', KEYS[2], 'a', '1')";
    await engine.eval(script, 2, '{p0}w:x', '{p0}w:y');
    engine.disconnect();
    await stores.redis.restart();
    const reader = new Redis(stores.redisUrl('reader'));
    expect([await reader.hget('{p0}w:x', 'a'), await reader.hget('{p0}w:y', 'a')]).toEqual(['1', '1']);
    reader.disconnect();
  });

  test('every key of a partition is within the patterns', () => {
    const patterns = [...ACL.matchAll(/~\{\*\}([^ ]+)/g)].map(([, pattern = '']) => pattern);
    const names = Object.entries(partitionKeys(0)).filter(([name]) => name !== 'partitions');
    for (const [name, key] of names) {
      const rest = key.replace(/^\{[^}]*\}/, '') + (name.endsWith('Prefix') ? '*' : '');
      expect(patterns).toContain(rest);
    }
  });
});

describe('roles of Postgres', () => {
  const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
    hongbao_service: [
      'DELETE FROM event_log',
      'UPDATE event_log SET projected = true',
      'INSERT INTO ledger_cursor (generation) VALUES (1)',
      'UPDATE coupon SET retired = true',
      'DELETE FROM audit_entry',
      'UPDATE audit_entry SET actor = $$x$$',
      'DELETE FROM promotion_version',
      'DROP TABLE promotion',
      'TRUNCATE promotion',
      'CREATE TABLE mine (a int)',
      "SELECT archive_ensure_coupon_segment('2099_01', '\\x00', '\\x01')",
      "SELECT archive_detach_log_segment('event_log_g1_p0_0', now(), 1)",
      'SELECT pg_read_file($$/etc/passwd$$)',
      'COPY promotion TO PROGRAM $$true$$',
      'CREATE ROLE mine',
    ],
    hongbao_archiver: [
      'DELETE FROM event_log',
      "UPDATE event_log SET payload = '\\x00'",
      'TRUNCATE event_log',
      'UPDATE coupon_history SET order_id = $$x$$',
      'DELETE FROM redemption_history',
      'UPDATE audit_entry SET actor = $$x$$',
      'DROP TABLE event_log_default',
      'ALTER TABLE coupon ADD COLUMN x int',
      "SELECT archive_attach_segment('coupon', 'x', 'DEFAULT')",
      'CREATE TABLE mine (a int)',
      'ALTER TABLE event_log DETACH PARTITION event_log_default',
      'CREATE TABLE hongbao_detached.mine (a int)',
    ],
    hongbao_reader: [
      'INSERT INTO promotion_version SELECT * FROM promotion_version',
      'SELECT * FROM user_profile',
      'SELECT secret FROM webhook',
      'SELECT cipher FROM promo_code',
      'DELETE FROM coupon',
    ],
  };

  test.each(Object.keys(FORBIDDEN))('%s may not more than it needs', async (role) => {
    const sql = postgres(stores.databaseUrl(role), { max: 1, onnotice: () => undefined });
    for (const statement of FORBIDDEN[role] ?? [])
      await expect(sql.unsafe(statement), statement).rejects.toThrow(/permission denied|must be owner/);
    expect(await sql`SELECT count(*)::int AS n FROM coupon`).toMatchObject([{ n: expect.any(Number) }]);
    await sql.end();
  });

  // LEDGER 21
  test('hongbao_archiver has a segment of the log detached, which then only the owner can read and drop', async () => {
    const archiver = postgres(stores.databaseUrl('hongbao_archiver'), { max: 1, onnotice: () => undefined });
    await archiver`SELECT archive_ensure_log_segment(9, 0, 0, 10)`;
    await archiver`
      INSERT INTO event_log (generation, partition, seq, entry_time, event_count, payload, projected)
      VALUES (9, 0, 3, now() - interval '1 day', 1, 'x', true)`;
    await archiver`INSERT INTO ledger_cursor (generation, partition, seq) VALUES (9, 0, 10)`;
    const detach = () =>
      archiver`SELECT archive_detach_log_segment('event_log_g9_p0_0', now() - interval '1 hour', 10) AS became`;
    expect(await detach()).toMatchObject([{ became: 'detached' }]);
    expect(await detach()).toMatchObject([{ became: 'gone' }]);
    const table = 'hongbao_detached.event_log_g9_p0_0';
    for (const statement of [`SELECT FROM ${table}`, `DELETE FROM ${table}`, `DROP TABLE ${table}`])
      await expect(archiver.unsafe(statement)).rejects.toThrow(/permission denied/);
    await archiver.end();
    const owner = postgres(stores.databaseUrl('hongbao_migrator'), { max: 1, onnotice: () => undefined });
    expect((await owner.unsafe(`SELECT FROM ${table}`)).length).toBe(1);
    await owner.unsafe(`DROP TABLE ${table}`);
    await owner.end();
  });
});
