/**
 * The product as it should run: tokens instead of the open door, users of Redis and roles of Postgres that may do what is needed
 * and nothing else.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import postgres from 'postgres';
import { migrate } from '../../src/database/migrate.ts';
import { freePort } from '../../tools/servers/free-port.ts';
import type { PostgresServer } from '../../tools/servers/postgres-server.ts';
import { type RedisServer, startRedisServer } from '../../tools/servers/redis-server.ts';
import { runCommand } from '../chaos/run-audit.ts';
import { startOwnPostgres } from '../own-postgres.ts';
import { RoleProcess } from '../product-fixture.ts';

const root = new URL('../../', import.meta.url);
/** `deploy/redis/users.acl`. */
export const ACL = readFileSync(new URL('deploy/redis/users.acl', root), 'utf8');
const ROLES = readFileSync(new URL('deploy/postgres/roles.sql', root), 'utf8');
/** Who may come to Redis. */
export const USERS = [...ACL.matchAll(/^user (\w+) (?:on|off) #/gm)].map(([, user = '']) => user);
/** The key of codes that every process has. */
export const CODES_KEY = 'the key of codes of this test, long enough';
const ISSUER = 'https://issuer.test';
const AUDIENCE = 'hongbao';

/** The password a user of Redis has. */
export const passwordOf = (user: string): string => `password-of-${user}`;

/** The file as an operator fills it in: digests instead of passwords, and those switched on that are needed at times only. */
function aclFile(): string {
  const filled = USERS.reduce((text, user) => {
    const digest = createHash('sha256').update(passwordOf(user)).digest('hex');
    return text
      .replaceAll(`#${user.toUpperCase()}_PASSWORD_SHA256`, `#${digest}`)
      .replace(`user ${user} off `, `user ${user} on `);
  }, ACL);
  const path = join(mkdtempSync(join(tmpdir(), 'hongbao-acl-')), 'users.acl');
  // An administrator for the test itself.
  writeFileSync(path, `${filled}user admin on >admin ~* &* +@all\n`);
  return path;
}

/** Both stores with their users and roles, and the tables. */
export interface LockedStores {
  readonly redis: RedisServer;
  readonly database: PostgresServer;
  /** Addresses of the stores for a user of Redis (or `admin`), and for a role of Postgres. */
  redisUrl(user: string): string;
  databaseUrl(role: string): string;
  stop(): Promise<void>;
}

/** Starts the stores and gives everybody their rights, as docs/deployment.md says. */
export async function startLockedStores(): Promise<LockedStores> {
  const [redis, database] = await Promise.all([
    startRedisServer({ settings: { aclfile: aclFile() } }),
    startOwnPostgres(),
  ]);
  const url = await database.createDatabase('hongbao');
  const databaseUrl = (role: string): string => url.replace(/\/\/[^@]*@/, `//${role}@`);
  await asAdministrator(url, ROLES);
  await migrate(databaseUrl('hongbao_migrator'));
  await asAdministrator(url, ROLES);
  return {
    redis,
    database,
    redisUrl: (user) =>
      `redis://${user}:${user === 'admin' ? user : passwordOf(user)}@127.0.0.1:${redis.port}`,
    databaseUrl,
    async stop() {
      await Promise.all([redis.stop(), database.stop()]);
    },
  };
}

async function asAdministrator(url: string, text: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  await sql.unsafe(text);
  await sql.end();
}

async function ports(): Promise<Record<string, string>> {
  const [grpc, http, ops] = [await freePort(), await freePort(), await freePort()];
  return { HONGBAO_GRPC_PORT: String(grpc), HONGBAO_HTTP_PORT: String(http), HONGBAO_OPS_PORT: String(ops) };
}

/** An answer over HTTP. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** The product on locked stores. */
export interface LockedProduct extends LockedStores {
  readonly serve: RoleProcess;
  readonly archive: RoleProcess;
  readonly httpPort: number;
  /** Every token that was made. */
  readonly tokens: readonly string[];
  /** Everything the processes wrote. */
  logs(): string;
  call(who: Readonly<Record<string, string>>, method: string, body: object): Promise<Answer>;
  /** Runs `hongbao` with these arguments to its end, as a user of Redis and a role of Postgres. */
  run(
    user: string,
    role: string,
    ...args: readonly string[]
  ): Promise<{ code: number | null; output: string }>;
}

/** Starts the stores, one serving and one archive process. */
export async function startLockedProduct(): Promise<LockedProduct> {
  const stores = await startLockedStores();
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = join(mkdtempSync(join(tmpdir(), 'hongbao-keys-')), 'keys.json');
  writeFileSync(
    keys,
    JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'k' }] }),
  );
  const addresses = (user: string, role: string): Record<string, string> => ({
    ...settingsWith(keys),
    REDIS_URL: stores.redisUrl(user),
    DATABASE_URL: stores.databaseUrl(role),
  });
  const servePorts = await ports();
  const httpPort = Number(servePorts['HONGBAO_HTTP_PORT']);
  const serve = new RoleProcess('serve', { ...addresses('engine', 'hongbao_service'), ...servePorts });
  const archive = new RoleProcess('archive', {
    ...addresses('archive', 'hongbao_archiver'),
    ...(await ports()),
  });
  let logs = '';
  for (const role of [serve, archive])
    role.onOutput = (text) => {
      logs += text;
    };
  await Promise.all([archive.start(), serve.start()]);
  const tokens: string[] = [];
  return {
    ...stores,
    serve,
    archive,
    httpPort,
    tokens,
    logs: () => logs,
    async call(who, method, body) {
      const token = await signed(privateKey, who);
      tokens.push(token);
      return await post(`http://127.0.0.1:${httpPort}/hongbao.v1.${method}`, token, body);
    },
    run: (user, role, ...args) => runCommand(args, addresses(user, role)),
    async stop() {
      await Promise.all([serve.end('SIGTERM'), archive.end('SIGTERM')]);
      await stores.stop();
    },
  };
}

function settingsWith(keysFile: string): Record<string, string> {
  return {
    HONGBAO_AUTH_ISSUER: ISSUER,
    HONGBAO_AUTH_AUDIENCE: AUDIENCE,
    HONGBAO_AUTH_JWKS_FILE: keysFile,
    HONGBAO_SECRETS_KEY: `first:${Buffer.alloc(32, 1).toString('base64')}`,
    HONGBAO_CODES_KEY: CODES_KEY,
    HONGBAO_LEDGER_FSYNC_ASSERTED: 'true',
    HONGBAO_DRAIN_READINESS_DELAY_MS: '0',
    HONGBAO_ARCHIVE_LEASE_MS: '1000',
    HONGBAO_LOG_LEVEL: 'debug',
  };
}

function signed(key: CryptoKey, claims: Readonly<Record<string, string>>): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return new SignJWT({ iss: ISSUER, aud: AUDIENCE, exp: nowSeconds + 600, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .sign(key);
}

async function post(url: string, token: string, body: object): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: Object(await response.json()) };
}
