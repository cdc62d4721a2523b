import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { afterEach, describe, expect, it } from 'vitest';
import { startPostgresServer } from './postgres-server.ts';
import { startRedisServer } from './redis-server.ts';

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

describe('redis-server for tests', () => {
  it('keeps an acknowledged write over SIGKILL and restart, on the same port', async () => {
    const server = await startRedisServer();
    cleanUps.push(() => server.stop());
    await withRedis(server.url, (redis) => redis.set('key', 'value'));
    const firstPid = server.pid;
    await server.kill();
    await server.restart();
    expect(await withRedis(server.url, (redis) => redis.get('key'))).toBe('value');
    expect(server.pid).not.toBe(firstPid);
  });

  it('runs with the settings that a durable claim needs', async () => {
    const server = await startRedisServer();
    cleanUps.push(() => server.stop());
    const settings = await withRedis(server.url, (redis) =>
      redis.config('GET', 'appendonly', 'appendfsync', 'maxmemory-policy', 'save'),
    );
    expect(settings).toEqual(expect.arrayContaining(['always', 'noeviction']));
    expect(settings).not.toContain('no');
  });

  it('comes back empty when it is told not to persist', async () => {
    const server = await startRedisServer({ persistent: false });
    cleanUps.push(() => server.stop());
    await withRedis(server.url, (redis) => redis.set('key', 'value'));
    await server.restart();
    expect(await withRedis(server.url, (redis) => redis.get('key'))).toBeNull();
  });
});

describe('Postgres for tests', () => {
  it('keeps a committed row over SIGKILL and restart, and leaves nothing behind after stop', async () => {
    const server = await startPostgresServer();
    cleanUps.push(() => server.stop());
    const url = await server.createDatabase('crash');
    await withPostgres(url, (sql) => sql`create table kept (x int)`);
    await withPostgres(url, (sql) => sql`insert into kept values (7)`);
    await server.kill();
    await server.restart();
    expect(await withPostgres(url, (sql) => sql`select x from kept`)).toEqual([{ x: 7 }]);
    const [row] = await withPostgres(url, (sql) => sql`select current_setting('data_directory') as folder`);
    await server.stop();
    expect(existsSync(String(row?.folder))).toBe(false);
  });

  it('begins with the files of another, which goes on', async () => {
    const files = join(await mkdtemp(join(tmpdir(), 'hongbao-files-')), 'files');
    const first = await startPostgresServer();
    cleanUps.push(
      () => first.stop(),
      () => rm(files, { recursive: true }),
    );
    await withPostgres(await first.createDatabase('seed'), (sql) => sql`create table kept as select 7 as x`);
    await first.saveFiles(files);
    const second = await startPostgresServer({ copyOf: files });
    cleanUps.push(() => second.stop());
    const url = await second.createDatabase('grown', 'seed');
    await withPostgres(url, (sql) => sql`update kept set x = 8`);
    for (const server of [first, second])
      expect(await withPostgres(server.url('seed'), (sql) => sql`select x from kept`)).toEqual([{ x: 7 }]);
    expect(await withPostgres(url, (sql) => sql`select x from kept`)).toEqual([{ x: 8 }]);
  });

  it.runIf(process.getuid?.() === 0)('works for root in a folder that nobody else may enter', async () => {
    const closed = await mkdtemp(join(tmpdir(), 'hongbao-closed-'));
    await chmod(closed, 0o700);
    const directory = join(closed, 'data', 'postgres');
    await mkdir(join(closed, 'data'));
    const server = await startPostgresServer({ directory });
    const folder = execFileSync('readlink', ['-f', directory], { encoding: 'utf8' }).trim();
    cleanUps.push(
      () => server.stop(),
      () => rm(folder, { recursive: true }),
      () => rm(closed, { recursive: true }),
    );
    expect(await withPostgres(server.url(), (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }]);
    expect(existsSync(join(directory, 'PG_VERSION'))).toBe(true);
  });
});

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

async function withPostgres<T>(url: string, use: (sql: postgres.Sql) => PromiseLike<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
