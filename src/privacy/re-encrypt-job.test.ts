// SPEC S3: keys of secrets can be changed, and the old one thrown away.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { createDatabase, type Sql } from '../database/client.ts';
import { secretPlace } from '../feed/webhooks.ts';
import { Profiles } from './profiles.ts';
import { createReEncryptJob } from './re-encrypt-job.ts';
import { SecretBox } from './secret-box.ts';

const old = { id: 'old', key: Buffer.alloc(32, 1) };
const next = { id: 'next', key: Buffer.alloc(32, 2) };
const lost = { id: 'lost', key: Buffer.alloc(32, 3) };
/** More than the job takes at once, so that it has to go on where it was. */
const PROFILES = 450;

let database: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  database = await createTestDatabase();
  const settings = {
    applicationName: 'test',
    maxConnections: 4,
    statementTimeoutMs: 5000,
    connectTimeoutMs: 5000,
  };
  sql = createDatabase(database.url, settings);
});
afterAll(async () => {
  await sql.end({ timeout: 1 });
  await database.drop();
});

const soon = () => Date.now() + 10_000;
const profilesWith = (...keys: (typeof old)[]) =>
  new Profiles({ sql, box: new SecretBox(keys), countryCode: 86 });
const phoneOf = (index: number) => `139${String(index).padStart(8, '0')}`;

async function run(...keys: (typeof old)[]) {
  const seen: unknown[] = [];
  const job = createReEncryptJob({
    sql,
    box: new SecretBox(keys),
    webhookPlace: secretPlace,
    times: { kind: 'cron', cron: '15 4 * * *', timeZone: 'UTC' },
    logger: pino({ level: 'silent' }),
    nowMs: () => Date.now(),
  });
  const { signal } = new AbortController();
  const counts = await job.run({ signal, nowMs: Date.now(), progress: (now) => seen.push({ ...now }) });
  return { counts, seen };
}

test('everything is sealed by the newest key, once, and the old key is needed no more', async () => {
  const before = profilesWith(old);
  for (let index = 0; index < PROFILES; index += 1) {
    const name = index % 3 === 0 ? undefined : `姓名${index}`;
    await before.put(`user-${index}`, { phone: phoneOf(index), ...(name !== undefined && { name }) }, soon());
  }
  await before.put('only-name', { name: '张三' }, soon());
  await profilesWith(lost).put('unreadable', { phone: phoneOf(9_999) }, soon());
  const webhookId = randomUUID();
  const secret = new SecretBox([old]).seal('whsec', secretPlace(webhookId));
  await sql`
    INSERT INTO webhook (id, url, kinds, is_enabled, secret, cursor, created_by)
    VALUES (${webhookId}, 'https://hook.example', '{}', true, ${secret}, '', 'ada')`;

  const { counts, seen } = await run(next, old);
  expect(counts).toEqual({ profiles: PROFILES + 1, webhooks: 1, unreadable: 1 });
  expect(seen.length).toBeGreaterThan(2);

  const after = profilesWith(next);
  expect(await after.findByPhone(phoneOf(7), soon())).toBe('user-7');
  expect(await after.masked('user-7', soon())).toMatchObject({ phone: '139****0007' });
  expect(await after.masked('only-name', soon())).toMatchObject({ phone: '' });
  const [row] = await sql<{ secret: Buffer }[]>`SELECT secret FROM webhook WHERE id = ${webhookId}`;
  expect(new SecretBox([next]).open(row?.secret ?? Buffer.alloc(0), secretPlace(webhookId))).toBe('whsec');

  expect((await run(next)).counts).toEqual({ profiles: 0, webhooks: 0, unreadable: 1 });
});
