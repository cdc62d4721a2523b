/**
 * The stores of the compose stack, started by the very scripts and arguments the stack starts them with, and the product on them with
 * the settings the stack gives it. The programs of the images that are not here are stood in for by what they do: the entry point of
 * Redis starts what it is told to, and `psql` sends files and lines to a real Postgres.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../tools/servers/free-port.ts';
import type { PostgresServer } from '../../tools/servers/postgres-server.ts';
import { ServerProcess } from '../../tools/servers/server-process.ts';
import { runCommand } from '../chaos/run-audit.ts';
import { startOwnPostgres } from '../own-postgres.ts';
import { RoleProcess } from '../product-fixture.ts';
import { commandOf, environmentOf, serviceNamed, withDefaults } from './compose-file.ts';
import { ROOT } from './manifests.ts';

const folder = mkdtempSync(join(tmpdir(), 'hongbao-compose-'));
const programs = join(folder, 'bin');
const PATH = `${programs}${delimiter}${process.env['PATH'] ?? ''}`;

let redis: ServerProcess;
let redisPort: number;
let database: PostgresServer;
let databaseUrl: URL;

beforeAll(async () => {
  mkdirSync(programs);
  program('docker-entrypoint.sh', '#!/bin/sh\nexec "$@"\n');
  program('psql', `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'test/deploy/psql.ts')}' "$@"\n`);
  database = await startOwnPostgres();
  databaseUrl = new URL(await database.createDatabase('compose'));
  redisPort = await freePort();
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
  await database.stop();
});

/** Puts a program before those of the machine. */
function program(name: string, text: string): void {
  const path = join(programs, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

async function startRedis(): Promise<ServerProcess> {
  const service = serviceNamed('redis');
  const [command = '', ...given] = commandOf(service);
  return await ServerProcess.start({
    name: 'redis',
    command,
    arguments: [...given, '--port', String(redisPort), '--bind', '127.0.0.1', '--dir', folder],
    directory: folder,
    environment: { ...environmentOf(service), PATH, TMPDIR: folder },
    readyText: 'Ready to accept connections',
    stopSignal: 'SIGTERM',
  });
}

/** Carries out a service that ends by itself; throws with what it wrote when it failed. */
function runRoles(name: string): void {
  const service = serviceNamed(name);
  const [command = '', ...given] = commandOf(service);
  const { status, stderr } = spawnSync(command, given, {
    encoding: 'utf8',
    env: {
      ...environmentOf(service),
      PATH,
      PGHOST: databaseUrl.hostname,
      PGPORT: databaseUrl.port,
      PGUSER: databaseUrl.username,
      PGDATABASE: databaseUrl.pathname.slice(1),
    },
  });
  if (status !== 0) throw new Error(`${name}: ${stderr}`);
}

/** What the stack gives a service of the product, with the stores where they are here. */
function productEnvironment(name: string): Record<string, string> {
  const environment = environmentOf(serviceNamed(name));
  for (const [variable, host, port] of [
    ['REDIS_URL', 'redis:6379', redisPort],
    ['DATABASE_URL', 'postgres:5432/hongbao', `${databaseUrl.port}${databaseUrl.pathname}`],
  ] as const) {
    const address = environment[variable];
    if (address !== undefined) environment[variable] = address.replace(`@${host}`, `@127.0.0.1:${port}`);
  }
  return environment;
}

/** The same for a process that listens. */
async function listening(name: string): Promise<Record<string, string>> {
  const {
    OTEL_EXPORTER_OTLP_ENDPOINT: _collector,
    HONGBAO_TRACING_SAMPLE_RATIO: _ratio,
    ...environment
  } = productEnvironment(name);
  return {
    ...environment,
    HONGBAO_DRAIN_READINESS_DELAY_MS: '0',
    HONGBAO_GRPC_PORT: String(await freePort()),
    HONGBAO_HTTP_PORT: String(await freePort()),
    HONGBAO_OPS_PORT: String(await freePort()),
  };
}

const connected = (user: string, password: string): Redis =>
  new Redis(redisPort, { username: user, password, lazyConnect: true, retryStrategy: () => null });

// SPEC S1
test('Redis lets in the three users that are needed, with their passwords, and nobody else', async () => {
  for (const user of ['engine', 'archive', 'reader']) {
    const client = connected(user, 'compose');
    await expect(client.ping(), user).resolves.toBe('PONG');
    await expect(client.flushall(), user).rejects.toThrow(/NOPERM/);
    client.disconnect();
  }
  for (const [user, password] of [
    ['engine', 'wrong'],
    ['default', 'compose'],
    ['rebuild', 'compose'],
    ['move', 'compose'],
    ['replica', 'compose'],
  ] as const) {
    const client = connected(user, password);
    client.on('error', () => undefined);
    await expect(client.ping(), user).rejects.toThrow();
    client.disconnect();
  }
});

test('its health is asked by somebody who may', () => {
  const [kind, check = ''] = serviceNamed('redis').healthcheck?.test ?? [];
  expect(kind).toBe('CMD-SHELL');
  const ask = (password: string): number | null =>
    spawnSync('sh', ['-c', withDefaults(check).replace('redis-cli', `redis-cli -p ${redisPort}`)], {
      env: { PATH, READER_PASSWORD: password },
    }).status;
  expect(ask('compose')).toBe(0);
  expect(ask('wrong')).not.toBe(0);
});

test('without a password it does not start, and says which is missing', () => {
  const [command = '', ...given] = commandOf(serviceNamed('redis'));
  const { status, stderr } = spawnSync(command, given, {
    encoding: 'utf8',
    env: { PATH, TMPDIR: folder, ENGINE_PASSWORD: 'x', READER_PASSWORD: 'x' },
  });
  expect(status).not.toBe(0);
  expect(stderr).toContain('ARCHIVE_PASSWORD');
});

// SPEC C7
test('roles, tables, grants, and the product on them, as the stack starts them; a second start changes nothing', async () => {
  for (const time of ['first', 'second']) {
    runRoles('roles');
    const { code, output } = await runCommand(['migrate'], productEnvironment('migrate'));
    expect(code, `${time}: ${output}`).toBe(0);
    runRoles('grants');
  }
  const sql = postgres(databaseUrl.href, { max: 1 });
  const roles =
    await sql`SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE 'hongbao_%' ORDER BY rolname`;
  await sql.end();
  expect(roles.map(({ rolname }) => String(rolname))).toEqual([
    'hongbao_archiver',
    'hongbao_migrator',
    'hongbao_reader',
    'hongbao_service',
  ]);
  for (const { rolpassword } of roles) expect(rolpassword).toMatch(/^SCRAM-SHA-256\$/);

  const serve = new RoleProcess('serve', await listening('serve-1'));
  const archive = new RoleProcess('archive', await listening('archive-1'));
  await Promise.all([serve.start(), archive.start()]);
  const { code, output } = await runCommand(['audit'], productEnvironment('audit'));
  expect(code, output).toBe(0);
  expect(await Promise.all([serve.end('SIGTERM'), archive.end('SIGTERM')])).toEqual([0, 0]);
});

test('what Redis keeps outlives a restart of its container', async () => {
  const before = connected('engine', 'compose');
  await before.hset('{h0:0}meta', 'kept', 'yes');
  before.disconnect();
  await redis.stop();
  redis = await startRedis();
  const after = connected('reader', 'compose');
  expect(await after.hget('{h0:0}meta', 'kept')).toBe('yes');
  after.disconnect();
});
