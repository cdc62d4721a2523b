/**
 * The product as it should run: tokens instead of the open door, users of Redis and roles of Postgres that may do what is needed
 * and nothing else. Everything works, what is forbidden is refused, and no log holds a secret or a person.
 */
// SPEC S1, S3
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { migrate } from '../../src/database/migrate.ts';
import { partitionKeys } from '../../src/ledger/keys.ts';
import { freePort } from '../../tools/servers/free-port.ts';
import { type PostgresServer, startPostgresServer } from '../../tools/servers/postgres-server.ts';
import { type RedisServer, startRedisServer } from '../../tools/servers/redis-server.ts';
import { RoleProcess } from '../product-fixture.ts';

const root = new URL('../../', import.meta.url);
const ACL = readFileSync(new URL('deploy/redis/users.acl', root), 'utf8');
const ROLES = readFileSync(new URL('deploy/postgres/roles.sql', root), 'utf8');
const USERS = ['engine', 'archive', 'reader', 'replica'];
const PHONE = '13912345678';
const NAME = '欧阳测试员';
const START_LIMIT_MS = 120_000;
const PASSWORD = (user: string) => `password-of-${user}`;

/** The file as an operator fills it in: digests instead of passwords. */
function aclFile(): string {
  const filled = USERS.reduce((text, user) => {
    const digest = createHash('sha256').update(PASSWORD(user)).digest('hex');
    return text.replaceAll(`#${user.toUpperCase()}_PASSWORD_SHA256`, `#${digest}`);
  }, ACL);
  const path = join(mkdtempSync(join(tmpdir(), 'hongbao-acl-')), 'users.acl');
  // An administrator for the test itself.
  writeFileSync(path, `${filled}user admin on >admin ~* &* +@all\n`);
  return path;
}

let redis: RedisServer;
let database: PostgresServer;
let serve: RoleProcess;
let archive: RoleProcess;
let httpPort: number;
let privateKey: CryptoKey;
let logs = '';
let admin: Redis;

const redisUrl = (user: string, password = PASSWORD(user)) =>
  `redis://${user}:${password}@127.0.0.1:${redis.port}`;
const databaseUrl = (role: string) => database.url('hongbao').replace(/\/\/[^@]*@/, `//${role}@`);

async function asAdministrator(text: string): Promise<void> {
  const sql = postgres(database.url('hongbao'), { max: 1, onnotice: () => undefined });
  await sql.unsafe(text);
  await sql.end();
}

async function ports(): Promise<Record<string, string>> {
  const [grpc, http, ops] = [await freePort(), await freePort(), await freePort()];
  return { HONGBAO_GRPC_PORT: String(grpc), HONGBAO_HTTP_PORT: String(http), HONGBAO_OPS_PORT: String(ops) };
}

beforeAll(async () => {
  [redis, database] = await Promise.all([
    startRedisServer({ settings: { aclfile: aclFile() } }),
    startPostgresServer(),
  ]);
  await database.createDatabase('hongbao');
  await asAdministrator(ROLES);
  await migrate(databaseUrl('hongbao_migrator'));
  await asAdministrator(ROLES);
  const pair = await generateKeyPair('ES256');
  privateKey = pair.privateKey;
  const keys = join(mkdtempSync(join(tmpdir(), 'hongbao-keys-')), 'keys.json');
  writeFileSync(
    keys,
    JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), alg: 'ES256', kid: 'k' }] }),
  );
  const shared = {
    HONGBAO_AUTH_ISSUER: 'https://issuer.test',
    HONGBAO_AUTH_AUDIENCE: 'hongbao',
    HONGBAO_AUTH_JWKS_FILE: keys,
    HONGBAO_SECRETS_KEY: `first:${Buffer.alloc(32, 1).toString('base64')}`,
    HONGBAO_CODES_KEY: 'the key of codes of this test, long enough',
    HONGBAO_LEDGER_FSYNC_ASSERTED: 'true',
    HONGBAO_DRAIN_READINESS_DELAY_MS: '0',
    HONGBAO_ARCHIVE_LEASE_MS: '1000',
    HONGBAO_LOG_LEVEL: 'debug',
  };
  const servePorts = await ports();
  httpPort = Number(servePorts['HONGBAO_HTTP_PORT']);
  serve = new RoleProcess('serve', {
    ...shared,
    ...servePorts,
    REDIS_URL: redisUrl('engine'),
    DATABASE_URL: databaseUrl('hongbao_service'),
  });
  archive = new RoleProcess('archive', {
    ...shared,
    ...(await ports()),
    REDIS_URL: redisUrl('archive'),
    DATABASE_URL: databaseUrl('hongbao_archiver'),
  });
  for (const role of [serve, archive])
    role.onOutput = (text) => {
      logs += text;
    };
  await Promise.all([archive.start(), serve.start()]);
  admin = new Redis(redisUrl('admin', 'admin'));
}, START_LIMIT_MS);

afterAll(async () => {
  admin?.disconnect();
  await Promise.all([serve?.end('SIGTERM'), archive?.end('SIGTERM')]);
  await Promise.all([redis?.stop(), database?.stop()]);
});

const tokens: string[] = [];

async function tokenOf(claims: Record<string, string>): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const token = await new SignJWT({
    iss: 'https://issuer.test',
    aud: 'hongbao',
    exp: nowSeconds + 600,
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .sign(privateKey);
  tokens.push(token);
  return token;
}

const ADMIN = { sub: 'ada', kind: 'admin' };
const MARKETING = { sub: 'mia', kind: 'marketing' };
const GATEWAY = {
  sub: 'gateway',
  kind: 'service',
  scope: 'coupons:claim events:write orders:redeem carts:evaluate coupons:read points:read',
};

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function call(who: Record<string, string>, method: string, body: object): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/hongbao.v1.${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenOf(who)}` },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: Object(await response.json()) };
}

/** Calls until it succeeds: the archive and the rule set follow in their own time. */
async function succeeds(
  who: Record<string, string>,
  method: string,
  body: object,
): Promise<Record<string, unknown>> {
  let answer: Answer | undefined;
  await vi.waitFor(
    async () => {
      answer = await call(who, method, body);
      expect(answer.status, `${method} ${JSON.stringify(answer.body)}`).toBe(200);
    },
    { timeout: 15_000, interval: 100 },
  );
  return answer?.body ?? {};
}

const promotion = (promotionId: string, reach: object) => ({
  requestId: `create-${promotionId}`,
  promotionId,
  promotion: {
    name: { en: promotionId, zh: promotionId },
    category: 'PROMOTION_CATEGORY_NORMAL',
    currency: 'CNY',
    effect: { noThresholdVoucher: { amountMinor: '1000' } },
    stock: { perUserLimit: 5 },
    validity: { daysAfterClaim: { days: 30 } },
    acknowledgement: 'ACKNOWLEDGEMENT_LEVEL_DURABLE',
    ...reach,
  },
});

/** Calls of every kind, one after the other, and a run of every job. */
async function useEverything(): Promise<void> {
  const created = await call(
    MARKETING,
    'PromotionService/CreatePromotion',
    promotion('spring', { reach: { claimable: {} } }),
  );
  expect(created.status, JSON.stringify(created.body)).toBe(200);
  await succeeds(MARKETING, 'PromotionService/ActivatePromotion', {
    promotionId: 'spring',
    requestId: 'activate',
  });
  const claim = { promotionId: 'spring', userId: 'alice', requestId: 'claim-1' };
  const { couponId } = await succeeds(GATEWAY, 'CouponService/ClaimCoupon', claim);
  const cart = {
    currency: 'CNY',
    lines: [{ lineId: 'l1', itemId: 'duck', quantity: 1, unitPriceMinor: '9000' }],
  };
  await succeeds(GATEWAY, 'CartService/EvaluateCart', {
    userId: 'alice',
    cart,
    selection: { couponIds: [couponId] },
  });
  const order = { userId: 'alice', orderId: 'order-1' };
  await succeeds(GATEWAY, 'RedemptionService/ReserveCoupons', {
    ...order,
    requestId: 'r-1',
    cart,
    couponIds: [couponId],
  });
  await succeeds(GATEWAY, 'RedemptionService/CommitReservation', { ...order, requestId: 'r-2' });
  await succeeds(GATEWAY, 'RedemptionService/RefundItems', {
    ...order,
    requestId: 'r-3',
    lines: [{ lineId: 'l1', quantity: 1 }],
    policy: 'REFUND_POLICY_KEEP',
    reason: 'cold',
  });
  const event = { eventId: 'e-1', userId: 'alice', occurredAt: new Date().toISOString() };
  await succeeds(GATEWAY, 'EventService/IngestEvent', {
    ...event,
    userRegistered: { phone: PHONE, name: NAME },
  });
  await succeeds(ADMIN, 'PrivacyService/GetUserProfile', { userId: 'alice' });
  expect(await succeeds(ADMIN, 'PrivacyService/FindUserByPhone', { phone: PHONE })).toMatchObject({
    userId: 'alice',
  });
  await succeeds(GATEWAY, 'PointsService/GetBalance', { userId: 'alice' });
  await succeeds(GATEWAY, 'CouponService/ListCoupons', { userId: 'alice' });
  await succeeds(GATEWAY, 'CouponService/GetCoupon', { userId: 'alice', couponId });
  await succeeds(ADMIN, 'InsightService/ListIssuedCoupons', {});
  await succeeds(ADMIN, 'InsightService/ListLedgerEvents', {});
  for (const { name } of Object(await succeeds(ADMIN, 'JobService/ListJobs', {})).jobs) {
    await succeeds(ADMIN, 'JobService/RunJob', { job: name, requestId: `run-${name}` });
  }
  await succeeds(ADMIN, 'PrivacyService/EraseUser', { userId: 'bob', requestId: 'erase' });
}

/** What the product asks for and can do without: whether Redis fsyncs is then stated by the operator. */
const PROBED = new Set<unknown>(['config|get', 'client|setinfo']);

describe('with the least of rights', () => {
  let worked: Promise<void>;
  beforeAll(() => {
    worked = useEverything();
    worked.catch(() => undefined);
  });

  test('everything works', () => expect(worked).resolves.toBeUndefined(), START_LIMIT_MS);

  test('no command and no key was refused on the way', async () => {
    await worked;
    const refused = (await admin.call('ACL', 'LOG')) as unknown[][];
    const lines = refused.map((entry) =>
      Object.fromEntries(
        entry.flatMap((value, index) => (index % 2 === 0 ? [[value, entry[index + 1]]] : [])),
      ),
    );
    // Other tests of this file try what is forbidden, by clients without a name.
    const unexpected = lines.filter(
      (line) => / name=\S/.test(line['client-info']) && !PROBED.has(line.object),
    );
    expect(unexpected).toEqual([]);
    expect(logs).not.toMatch(/NOPERM|permission denied for/i);
  });

  test('no log holds a token, a phone, a name or a password', async () => {
    await worked;
    expect(logs.length).toBeGreaterThan(500);
    const secrets = [...tokens, PHONE, NAME, ...USERS.map(PASSWORD), 'the key of codes of this test'];
    expect(secrets.filter((secret) => logs.includes(secret))).toEqual([]);
    const signatures = tokens.map((token) => token.split('.')[2] ?? '');
    expect(signatures.filter((signature) => logs.includes(signature))).toEqual([]);
  });
});

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

  test.each(['engine', 'archive', 'reader', 'replica'])('%s may do none of what ruins', async (user) => {
    const client = new Redis(redisUrl(user), { enableReadyCheck: false });
    client.on('error', () => undefined);
    for (const command of FORBIDDEN)
      expect(`${command[0]}: ${await answerOf(client, command)}`).toMatch(/NOPERM|not allowed/);
    const script = ['EVAL', "return redis.call('KEYS', '*')", '0'] as const;
    expect(await answerOf(client, script)).toMatch(/NOPERM|ACL failure|can't run this command/i);
    client.disconnect();
  });

  test('a reader writes nothing, and nobody comes in without a password', async () => {
    const reader = new Redis(redisUrl('reader'));
    for (const command of [
      ['HSET', '{p0}w:x', 'a', 'b'],
      ['XADD', '{p0}stream', '*', 'a', 'b'],
      ['DEL', '{p0}w:x'],
    ] as const)
      expect(await answerOf(reader, command)).toMatch(/NOPERM/);
    expect(await reader.hget(partitionKeys(0).meta, 'open')).toBeTypeOf('string');
    reader.disconnect();
    const nobody = new Redis(`redis://127.0.0.1:${redis.port}`, {
      retryStrategy: () => null,
      lazyConnect: true,
    });
    nobody.on('error', () => undefined);
    await nobody.connect().catch(() => undefined);
    expect(await answerOf(nobody, ['PING'])).toMatch(/NOAUTH|closed/i);
    nobody.disconnect();
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
    const sql = postgres(databaseUrl(role), { max: 1, onnotice: () => undefined });
    for (const statement of FORBIDDEN[role] ?? [])
      await expect(sql.unsafe(statement), statement).rejects.toThrow(/permission denied|must be owner/);
    expect(await sql`SELECT count(*)::int AS n FROM coupon`).toMatchObject([{ n: expect.any(Number) }]);
    await sql.end();
  });
});
