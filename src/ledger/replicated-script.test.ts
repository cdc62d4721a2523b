import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../tools/servers/redis-server.ts';
import { awaitReady, connectLedger } from './connection.ts';
import { partitionKeys } from './keys.ts';
import { runReplicatedScript } from './script-runner.ts';

let master: RedisServer;
let replica: RedisServer;

beforeAll(async () => {
  master = await startRedisServer();
  replica = await startRedisServer({ settings: { replicaof: `127.0.0.1 ${master.port}` } });
}, 30_000);
afterAll(async () => {
  await replica.stop();
  await master.stop();
});

describe('a script that waits for replicas', () => {
  it('is known not to have run on a server that has become a replica, though WAIT fails there too (F14)', async () => {
    const settings = { commandTimeoutMs: 5_000, socketTimeoutMs: 5_000, connectTimeoutMs: 5_000 };
    const redis = connectLedger({ url: replica.url, ...settings }, 'test');
    redis.on('error', () => undefined);
    await awaitReady(redis, 5_000);
    const { stream, meta } = partitionKeys(0);
    const call = runReplicatedScript(redis, 'open', [stream, meta], ['run', 1, '1'], {
      count: 1,
      timeoutMs: 100,
    });
    await expect(call).rejects.toMatchObject({ name: 'ScriptFailure', kind: 'busy' });
    redis.disconnect();
  });
});
