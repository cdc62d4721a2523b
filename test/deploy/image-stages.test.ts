/** What the Dockerfile's stages make, by running their very commands: what is in it, how large it is, that it starts, answers and stops. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../tools/servers/free-port.ts';
import { type RedisServer, startRedisServer } from '../../tools/servers/redis-server.ts';
import { wordsOf } from './dockerfile.ts';
import { ROOT } from './manifests.ts';
import { type BuiltImage, buildImage, shellEnvironment } from './stage-build.ts';

/** What the layers on top of the base image may take, in MB of a million bytes: a few more than they do. */
const SIZE_MAX_MB = 115;
/** An install on a machine that has much else to do takes minutes. */
const BUILD_MAX_MS = 300_000;
const READY_MS = 30_000;
const READY_POLL_MS = 100;
const DATABASE = 'image_stages';

const folder = mkdtempSync(join(tmpdir(), 'hongbao-image-'));
const running = new Set<ChildProcess>();
let image: BuiltImage;
let redis: RedisServer;
let settings: Readonly<Record<string, string>>;

beforeAll(async () => {
  [image, redis] = await Promise.all([buildImage(folder), startRedisServer()]);
  await administer((sql) => sql`create database ${sql(DATABASE)}`);
  const databaseUrl = new URL(inject('postgresUrl'));
  databaseUrl.pathname = `/${DATABASE}`;
  settings = {
    DATABASE_URL: databaseUrl.href,
    REDIS_URL: redis.url,
    HONGBAO_AUTH: 'jwt',
    HONGBAO_AUTH_ISSUER: 'https://identity.example.com/',
    HONGBAO_AUTH_AUDIENCE: 'hongbao',
    HONGBAO_AUTH_JWKS_URL: 'http://127.0.0.1:1/keys',
    HONGBAO_CODES_KEY: 'a-key-of-a-test-with-32-characters',
    HONGBAO_SECRETS_KEY: `test:${Buffer.alloc(32, 1).toString('base64')}`,
    HONGBAO_DRAIN_READINESS_DELAY_MS: '0',
  };
  expect((await runToEnd(['migrate'])).code).toBe(0);
}, BUILD_MAX_MS);

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await redis?.stop();
  await administer((sql) => sql`drop database if exists ${sql(DATABASE)} with (force)`);
  rmSync(folder, { recursive: true, force: true });
});

async function administer(statement: (sql: postgres.Sql) => PromiseLike<unknown>): Promise<void> {
  const sql = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} });
  await statement(sql);
  await sql.end({ timeout: 5 });
}

/** A container: the words in place of `CMD`, the settings beside what `ENV` sets. */
function start(words: readonly string[], more: Readonly<Record<string, string>> = {}): ChildProcess {
  const [program = '', ...rest] = [...wordsOf(image.stage, 'ENTRYPOINT'), ...words];
  return startProgram(program, rest, more);
}

function startProgram(
  program: string,
  rest: readonly string[],
  more: Readonly<Record<string, string>>,
): ChildProcess {
  const child = spawn(program, rest, {
    cwd: image.workingFolder,
    env: { PATH: shellEnvironment()['PATH'], ...image.environment, ...settings, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

async function ended(child: ChildProcess): Promise<Ended> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  }
  await once(child, 'close');
  return { code: child.exitCode, output };
}

async function runToEnd(words: readonly string[]): Promise<Ended> {
  return await ended(start(words));
}

async function health(opsPort: string): Promise<Ended> {
  const [program = '', ...rest] = wordsOf(image.stage, 'HEALTHCHECK');
  return await ended(startProgram(program, rest, { HONGBAO_OPS_PORT: opsPort }));
}

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

const Lock = z.looseObject({
  packages: z.record(z.string(), z.looseObject({ dev: z.boolean().default(false) })),
});

// SPEC C7
describe('what the stages of the Dockerfile make', () => {
  test('has every package of production and none that is for development alone', () => {
    const { packages } = Lock.parse(JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')));
    const installed = Lock.parse(
      JSON.parse(readFileSync(join(image.workingFolder, 'node_modules/.package-lock.json'), 'utf8')),
    );
    const names = Object.keys(installed.packages);
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => packages[name]?.dev !== false)).toEqual([]);
    const present = readdirSync(join(image.workingFolder, 'node_modules'));
    for (const name of ['vitest', 'typescript', 'autocannon']) expect(present).not.toContain(name);
    expect(present.filter((name) => /^node-(linux|bin|darwin|win)/.test(name))).toEqual([]);
  });

  test('has sources, licence and compile cache, and no test', () => {
    const files = filesBelow(image.workingFolder).map((file) => relative(image.workingFolder, file));
    const tops = new Set(files.map((file) => file.split('/')[0]));
    expect([...tops].toSorted()).toEqual(['LICENSE', 'compile-cache', 'node_modules', 'package.json', 'src']);
    expect(files.filter((file) => file.startsWith('src/') && file.endsWith('.test.ts'))).toEqual([]);
    expect(files.filter((file) => file.startsWith('compile-cache/')).length).toBeGreaterThan(100);
  });

  test('is small', () => {
    const bytes = filesBelow(image.workingFolder).reduce((sum, file) => sum + lstatSync(file).size, 0);
    console.info(`the image has ${(bytes / 1e6).toFixed(1)} MB on top of its base`);
    expect(bytes / 1e6).toBeLessThan(SIZE_MAX_MB);
  });

  test.concurrent.each([
    ['serve', (stage: BuiltImage['stage']) => wordsOf(stage, 'CMD')],
    ['archive', () => ['archive']],
  ])(
    'starts as %s, says that it is healthy, and stops orderly',
    async (role, words) => {
      const ports = {
        HONGBAO_GRPC_PORT: String(await freePort()),
        HONGBAO_HTTP_PORT: String(await freePort()),
        HONGBAO_OPS_PORT: String(await freePort()),
      };
      const child = start(words(image.stage), ports);
      const end = ended(child);
      for (let waitedMs = 0; waitedMs < READY_MS; waitedMs += READY_POLL_MS) {
        const response = await fetch(`http://127.0.0.1:${ports.HONGBAO_OPS_PORT}/readyz`).catch(
          () => undefined,
        );
        if (response?.ok || child.exitCode !== null) break;
        await sleep(READY_POLL_MS);
      }
      expect(await health(ports.HONGBAO_OPS_PORT)).toEqual({ code: 0, output: 'ready\n' });
      child.kill(
        image.stage.instructions.find(({ name }) => name === 'STOPSIGNAL')?.rest === 'SIGTERM'
          ? 'SIGTERM'
          : 'SIGKILL',
      );
      const { code, output } = await end;
      expect(output).toContain(`"role":"${role}"`);
      expect(code, output).toBe(0);
    },
    120_000,
  );

  test('is not healthy where nothing runs', async () => {
    expect(await health(String(await freePort()))).toEqual({ code: 1, output: 'not ready\n' });
  });

  test('audits', async () => {
    const { code, output } = await runToEnd(['audit']);
    expect(code, output).toBe(0);
  });
});
