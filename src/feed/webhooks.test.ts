import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type ArchivedLedger,
  addPromotion,
  PLACES,
  runOnce,
  startArchivedLedger,
} from '../../test/archived-ledger.ts';
import { definitionOf, soon } from '../../test/ledger-fixture.ts';
import { FeedEventKind } from '../gen/hongbao/v1/event_service_pb.ts';
import { SecretBox } from '../privacy/secret-box.ts';
import { decodeCursor, encodeCursor, WHOLE_ENTRY } from './cursor.ts';
import { createDeliveryJob, pauseAfter } from './deliver-webhooks.ts';
import { Feed } from './feed.ts';
import { WEBHOOK_ATTEMPTS, WEBHOOK_LONGEST_PAUSE_MS } from './limits.ts';
import { postWebhook } from './post-webhook.ts';
import { isPublicAddress } from './webhook-address.ts';
import { Webhooks } from './webhooks.ts';

const SECRET = 'whsec_c2l4dGVlbiBieXRlcyBvZiBzZWNyZXQ=';
const box = new SecretBox([{ id: 'a', key: Buffer.alloc(32, 1) }]);

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let fixture: ArchivedLedger;
let webhooks: Webhooks;
let receiver: Server;
let url: string;
let received: Received[] = [];
/** Status of the next answers; 200 when there is none left. */
let answers: number[] = [];
let requests = 0;

beforeAll(async () => {
  fixture = await startArchivedLedger();
  const feed = new Feed(fixture.sql, PLACES);
  webhooks = new Webhooks({ sql: fixture.sql, feed, box, reach: 'anywhere' });
  await addPromotion(fixture.sql, 1, 'spring');
  await fixture.ledger.define(definitionOf({ quantity: 10_000, perUserLimit: 100 }), soon());
  await fixture.archived();
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      const status = answers.shift() ?? 200;
      if (request.url === '/silent') return;
      response.writeHead(status, { location: '/elsewhere' }).end('x'.repeat(100_000));
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  url = `http://127.0.0.1:${port}/hook`;
});

afterAll(async () => {
  receiver.closeAllConnections();
  receiver.close();
  await fixture.close();
});

beforeEach(async () => {
  received = [];
  answers = [];
  await fixture.sql`UPDATE webhook SET is_enabled = false`;
});

const requestId = (): string => {
  requests += 1;
  return `r${requests}`;
};
const draft = (overrides: Partial<Parameters<Webhooks['register']>[0]> = {}) => ({
  requestId: requestId(),
  url,
  kinds: [],
  secret: SECRET,
  actor: 'ann',
  ...overrides,
});

async function deliver() {
  const { sql, metrics } = fixture;
  const job = createDeliveryJob({
    sql,
    feed: new Feed(sql, PLACES),
    box,
    reach: 'anywhere',
    metrics,
    logger: pino({ level: 'silent' }),
    nowMs: Date.now,
    random: () => 0.5,
    timeoutMs: 2_000,
  });
  return await runOnce(job, Date.now());
}

async function claim(user: string, count = 1): Promise<void> {
  for (let index = 0; index < count; index += 1) await fixture.claim({ user, request: requestId() });
  await fixture.archived();
}

/** Lets the pause after a failure be over. */
async function waitOut(): Promise<void> {
  await fixture.sql`UPDATE webhook SET next_attempt_at = now()`;
}

function eventsOf({ body }: Received): { kind: string; userId: string; eventId: string }[] {
  return JSON.parse(body).data.events;
}

// SPEC L12
describe('deliveries', () => {
  // LEDGER 21
  test('that the log cannot make any more are passed over for nobody: the webhook says so, and others go on', async () => {
    const { webhook: lost } = await webhooks.register(draft(), soon());
    const { webhook: other } = await webhooks.register(draft(), soon());
    await claim('u1', 2);
    const position = decodeCursor(lost.cursor);
    const goneSeq = (position.logs[0]?.seq ?? 0) + 1;
    const gone = await fixture.sql`
      DELETE FROM event_log WHERE seq <= ${goneSeq}
      RETURNING generation, partition, seq, entry_time, event_count, payload, projected`;
    const oldest = { ...position, logs: [{ seq: goneSeq, index: WHOLE_ENTRY, part: 0 }] };
    await fixture.sql`UPDATE webhook SET cursor = ${encodeCursor(oldest)} WHERE id = ${other.id}`;
    expect(await deliver()).toEqual({ delivered: 1, failed: 1, dead: 0 });
    await waitOut();
    expect(await deliver()).toEqual({ delivered: 0, failed: 1, dead: 0 });
    const all = await webhooks.list(undefined, 100, soon());
    expect(all.find(({ id }) => id === lost.id)?.last_error).toContain('no longer kept');
    for (const row of gone) await fixture.sql`INSERT INTO event_log ${fixture.sql(row)}`;
  });

  test('are signed, and hold what happened since the webhook was registered', async () => {
    await claim('before');
    const { webhook } = await webhooks.register(draft(), soon());
    await claim('u1', 2);
    expect(await deliver()).toEqual({ delivered: 1, failed: 0, dead: 0 });
    const [call] = received;
    expect(call && eventsOf(call).map(({ kind, userId }) => [kind, userId])).toEqual([
      ['FEED_EVENT_KIND_CLAIMED', 'u1'],
      ['FEED_EVENT_KIND_CLAIMED', 'u1'],
    ]);
    const signed = `${call?.headers['webhook-id']}.${call?.headers['webhook-timestamp']}.${call?.body}`;
    const hmac = createHmac('sha256', 'sixteen bytes of secret').update(signed).digest('base64');
    expect(call?.headers['webhook-signature']).toBe(`v1,${hmac}`);
    expect(await deliver()).toEqual({ delivered: 0, failed: 0, dead: 0 });
    expect((await webhooks.enable(webhook.id, false, requestId(), soon())).cursor).not.toBe(webhook.cursor);
  });

  test('that fail are made again as they were, with the same id, before anything later', async () => {
    await webhooks.register(draft(), soon());
    await claim('u1');
    answers = [500, 302];
    expect(await deliver()).toMatchObject({ failed: 1 });
    await claim('u1');
    expect(await deliver()).toMatchObject({ delivered: 0, failed: 0 });
    await waitOut();
    expect(await deliver()).toMatchObject({ failed: 1 });
    await waitOut();
    expect(await deliver()).toMatchObject({ delivered: 2 });
    const ids = received.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids.slice(0, 3)).size).toBe(1);
    expect(new Set(received.slice(0, 3).map(({ body }) => body)).size).toBe(1);
    expect(received.slice(2).flatMap(eventsOf)).toHaveLength(2);
  });

  test('hold only the kinds that were asked for', async () => {
    await webhooks.register(draft({ kinds: [FeedEventKind.USED] }), soon());
    await claim('u1', 3);
    await deliver();
    expect(received).toEqual([]);
  });

  test('after the last attempt become dead letters, which can be sent again', async () => {
    const { webhook } = await webhooks.register(draft(), soon());
    await claim('u1', 2);
    await fixture.sql`UPDATE webhook SET attempts = ${WEBHOOK_ATTEMPTS - 1} WHERE id = ${webhook.id}`;
    answers = [503];
    expect(await deliver()).toMatchObject({ dead: 1 });
    const letters = await webhooks.deadLetters(webhook.id, { after: undefined, limit: 10 }, soon());
    expect(letters).toMatchObject([
      { attempts: WEBHOOK_ATTEMPTS, last_error: 'status 503' },
      { attempts: WEBHOOK_ATTEMPTS, last_error: 'status 503' },
    ]);
    const [first] = letters;
    const again = { webhookId: webhook.id, id: first?.id ?? '' };
    const retry = requestId();
    await webhooks.retry(again, retry, soon());
    answers = [503];
    expect(await deliver()).toMatchObject({ failed: 1 });
    await webhooks.retry(again, requestId(), soon());
    expect(await deliver()).toMatchObject({ delivered: 1 });
    expect(await webhooks.deadLetters(webhook.id, { after: undefined, limit: 10 }, soon())).toHaveLength(1);
    await expect(webhooks.retry(again, retry, soon())).resolves.toBeUndefined();
    await expect(webhooks.retry(again, requestId(), soon())).rejects.toMatchObject({
      reason: 'DEAD_LETTER_NOT_FOUND',
    });
    expect(fixture.metrics.webhookDeadLetters.value).toBe(1);
    await webhooks.delete(webhook.id, requestId(), soon());
  });

  test('pause longer from time to time, for about a day in all', () => {
    const pauses = Array.from({ length: WEBHOOK_ATTEMPTS - 1 }, (_, index) => pauseAfter(index + 1, 0.5));
    expect(pauses.slice(0, 3)).toEqual([5_000, 15_000, 45_000]);
    expect(pauses.at(-1)).toBe(WEBHOOK_LONGEST_PAUSE_MS);
    const hours = pauses.reduce((sum, pause) => sum + pause, 0) / 3_600_000;
    expect(hours).toBeGreaterThan(20);
    expect(hours).toBeLessThan(28);
    expect(pauseAfter(1, 0)).toBe(4_000);
  });
});

describe('managing webhooks', () => {
  test('a secret is generated once, and no secret is stored as it is', async () => {
    const asked = draft({ secret: '' });
    const made = await webhooks.register(asked, soon());
    expect(made.secret).toMatch(/^whsec_/);
    const again = await webhooks.register(asked, soon());
    expect(again).toMatchObject({ secret: '', webhook: { id: made.webhook.id } });
    expect(made.webhook.secret.toString('latin1')).not.toContain(made.secret.slice(6));
    await expect(webhooks.register({ ...asked, url: `${url}/other` }, soon())).rejects.toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
  });

  test('an unknown webhook is not found; a deleted one stays deleted for the same request', async () => {
    const { webhook } = await webhooks.register(draft(), soon());
    const deletion = requestId();
    await webhooks.delete(webhook.id, deletion, soon());
    await expect(webhooks.delete(webhook.id, deletion, soon())).resolves.toBeUndefined();
    for (const call of [
      () => webhooks.delete(webhook.id, requestId(), soon()),
      () => webhooks.enable(webhook.id, true, requestId(), soon()),
      () => webhooks.deadLetters('wh-none', { after: undefined, limit: 1 }, soon()),
    ]) {
      await expect(call()).rejects.toMatchObject({ reason: 'WEBHOOK_NOT_FOUND' });
    }
  });

  test.each([
    'http://shop.example/hook',
    'https://127.0.0.1/hook',
    'https://10.1.2.3/hook',
    'https://[::1]/hook',
    'https://[::ffff:10.0.0.1]/hook',
    'https://169.254.169.254/latest',
    'https://ann:secret@shop.example/hook',
  ])('%s is refused outside development', async (address) => {
    const { sql } = fixture;
    const strict = new Webhooks({ sql, feed: new Feed(sql, PLACES), box, reach: 'public' });
    await expect(strict.register(draft({ url: address }), soon())).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      detail: { violations: [{ field: 'url' }] },
    });
  });
});

describe('one call', () => {
  const call = (address: string) => ({
    url: address,
    secret: SECRET,
    id: 'm1',
    timestampSeconds: 1,
    body: '{}',
  });

  test('never reaches what is not public, also by name', async () => {
    const { port } = new URL(url);
    expect(await postWebhook(call(`https://localhost:${port}/hook`), 'public')).toBe(
      'the host has no public address',
    );
    expect(await postWebhook(call(url), 'public')).toBe('The URL must be https');
    expect(received).toEqual([]);
    for (const address of ['8.8.8.8', '2606:4700::1111']) expect(isPublicAddress(address)).toBe(true);
    for (const address of ['192.168.1.1', 'fd00::1', 'fe80::1', '::', '64:ff9b::a00:1', 'shop', '224.0.0.1'])
      expect(isPublicAddress(address)).toBe(false);
  });

  test('follows no redirect, and gives up on silence', async () => {
    answers = [302];
    expect(await postWebhook(call(url), 'anywhere')).toBe('status 302');
    const silent = url.replace('/hook', '/silent');
    expect(await postWebhook(call(silent), 'anywhere', 50)).toBe('no answer within 0.05 s');
    expect(received).toHaveLength(2);
    expect(await postWebhook(call('http://127.0.0.1:1/'), 'anywhere')).toContain('ECONNREFUSED');
  });
});
