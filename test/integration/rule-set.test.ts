/** The rule set in memory against a Postgres that this file may stop, kill and restart. */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createDatabase, type Sql } from '../../src/database/client.ts';
import { migrate } from '../../src/database/migrate.ts';
import type { DefinitionPorts } from '../../src/definitions/definition-ports.ts';
import type { OpenListener } from '../../src/ruleset/change-listener.ts';
import { loadChanges, loadPromotions } from '../../src/ruleset/load-changes.ts';
import { loadHistory } from '../../src/ruleset/load-history.ts';
import { PromotionBook } from '../../src/ruleset/promotion-book.ts';
import { RuleSetEntry } from '../../src/ruleset/rule-set-entry.ts';
import { type RuleSetFollower, RuleSetKeeper } from '../../src/ruleset/rule-set-keeper.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { type PostgresServer, startPostgresServer } from '../../tools/servers/postgres-server.ts';
import {
  definitionPorts,
  forgetPromotion,
  reasonOf,
  SwitchableLedger,
  samplePromotion,
  staffOf,
} from '../definition-fixture.ts';

/** So long that nothing happens by polling during a test. */
const NEVER_MS = 600_000;
const PATIENCE = { timeout: 20_000 };

let server: PostgresServer;
let url: string;
let ports: DefinitionPorts;
let staff: ReturnType<typeof staffOf>;
const ledger = new SwitchableLedger();
const running: RuleSetKeeper[] = [];
const pools: Sql[] = [];

beforeAll(async () => {
  server = await startPostgresServer();
  url = await server.createDatabase('rules');
  // Processes of one rollout migrate at the same moment.
  await Promise.all([migrate(url), migrate(url)]);
  ports = definitionPorts(url, ledger);
  staff = staffOf(ports);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((keeper) => keeper.stop()));
  await Promise.all(pools.splice(0).map((sql) => sql.end({ timeout: 1 })));
});
afterAll(async () => {
  await ports.sql.end({ timeout: 1 });
  await server.stop();
});

function pool(events?: Parameters<OpenListener>[0]): Sql {
  return createDatabase(url, {
    applicationName: events === undefined ? 'test' : 'test listener',
    maxConnections: events === undefined ? 2 : 1,
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
    ...events,
  });
}

function keeperOf(
  pollMs: number,
  openListener: OpenListener = pool,
  follower?: RuleSetFollower,
): { keeper: RuleSetKeeper; metrics: Metrics } {
  const metrics = createMetrics({ version: 'test', node: process.version });
  const sql = pool();
  pools.push(sql);
  const logger = pino({ level: 'silent' });
  const keeper = new RuleSetKeeper({
    sql,
    openListener,
    ledger,
    metrics,
    logger,
    pollMs,
    nowMs: Date.now,
    ...(follower && { follower }),
  });
  running.push(keeper);
  return { keeper, metrics };
}

async function createActive(): Promise<string> {
  const { promotionId } = await staff.create({ promotionId: `p-${randomUUID()}` });
  await staff.activate({ promotionId });
  return promotionId;
}

async function untilListening(): Promise<void> {
  const listeners = () => ports.sql`
    select from pg_stat_activity where application_name = 'test listener' and query ilike 'listen%' and state = 'idle'`;
  const count = async (): Promise<number> => (await listeners().catch(() => [])).length;
  await expect.poll(count, PATIENCE).toBeGreaterThan(0);
}

// SPEC P1: live on every replica.
it('follows every change by notification, on every replica', async () => {
  const replicas = [keeperOf(NEVER_MS).keeper, keeperOf(NEVER_MS).keeper];
  await Promise.all(replicas.map((keeper) => keeper.start()));
  await untilListening();
  const before = replicas[0]?.current;
  const promotionId = await createActive();
  for (const keeper of replicas) {
    await expect.poll(() => keeper.current.byId(promotionId)?.state, PATIENCE).toBe('active');
    const ids = keeper.current.claimable().map((promotion) => promotion.promotionId);
    expect(ids).toContain(promotionId);
  }
  expect(replicas[0]?.current.version).toBe(replicas[1]?.current.version);
  // Whoever holds the earlier rule set goes on with it undisturbed.
  expect(before?.byId(promotionId)).toBeUndefined();
  await staff.deactivate({ promotionId });
  await expect.poll(() => replicas[0]?.current.byId(promotionId)?.state, PATIENCE).toBe('inactive');
  expect(replicas[0]?.current.claimable().map((promotion) => promotion.promotionId)).not.toContain(
    promotionId,
  );
});

it('finds changes by polling when notifications are lost', async () => {
  // A listener whose notifications and closings reach nobody.
  const { keeper } = keeperOf(50, () => pool({ onNotification: () => {}, onClose: () => {} }));
  await keeper.start();
  const promotionId = await createActive();
  await expect.poll(() => keeper.current.byId(promotionId)?.state, PATIENCE).toBe('active');
});

// SPEC P1: what is live is what Postgres has, also when that is less than before.
it('begins anew when Postgres was restored to an older state', async () => {
  const kept = await createActive();
  const { keeper } = keeperOf(50);
  await keeper.start();
  const lost = await createActive();
  await expect.poll(() => keeper.current.byId(lost)?.state, PATIENCE).toBe('active');
  const { version } = keeper.current;
  await forgetPromotion(ports.sql, lost);
  await expect.poll(() => keeper.current.byId(lost), PATIENCE).toBeUndefined();
  expect(keeper.current.version).toBeLessThan(version);
  expect(keeper.current.byId(kept)?.state).toBe('active');
});

it('loads only what changed', async () => {
  await createActive();
  const { keeper } = keeperOf(NEVER_MS);
  await keeper.start();
  const { version } = keeper.current;
  expect((await loadChanges(ports.sql, version, 100, Date.now() + 5_000)).entries).toEqual([]);
  const promotionId = await createActive();
  const changes = await loadChanges(ports.sql, version, 100, Date.now() + 5_000);
  // Every step by itself: it was created, then activated.
  expect(changes.entries.map(({ id, state }) => [id, state])).toEqual([
    [promotionId, 'inactive'],
    [promotionId, 'active'],
  ]);
  expect(changes.version).toBe(version + 2);
  const promotions = await loadPromotions(ports.sql, version, 100, Date.now() + 5_000);
  expect(promotions.entries.map(({ id, state }) => [id, state])).toEqual([[promotionId, 'active']]);
});

// SPEC R13: every stored version of the rule set can be had again.
it('reads a rule set as it was, and knows which versions there never were', async () => {
  const deadlineMs = Date.now() + 20_000;
  const promotionId = await createActive();
  const { version: before } = await loadPromotions(ports.sql, 0, 100_000, deadlineMs);
  await staff.deactivate({ promotionId });
  await createActive();
  const then = (await loadHistory(ports.sql, before, deadlineMs)) ?? [];
  const states = then.map((change) => new RuleSetEntry({ body: Buffer.from(change.body) }));
  expect(states.find(({ id }) => id === promotionId)?.state).toBe('active');
  expect(then.at(-1)?.ruleSetVersion).toBe(before);
  const steps = then.map(({ ruleSetVersion }) => ruleSetVersion);
  expect(steps).toEqual(steps.toSorted((left, right) => left - right));
  expect(await loadHistory(ports.sql, before + 1_000, deadlineMs)).toBeUndefined();
});

// SPEC C1: workers hear of every version, so they never serve a mixture of two.
it('hands a follower the whole rule set once and then every single change, without a gap', async () => {
  const promotionId = await createActive();
  const wholes: number[][] = [];
  const steps: number[] = [];
  const versionsOf = (changes: readonly { ruleSetVersion: number }[]): number[] =>
    changes.map(({ ruleSetVersion }) => ruleSetVersion);
  const { keeper } = keeperOf(50, pool, {
    replaceRules: (rules) => wholes.push(versionsOf(rules)),
    takeChanges: (changes) => steps.push(...versionsOf(changes)),
  });
  await keeper.start();
  const { version } = keeper.current;
  await staff.deactivate({ promotionId });
  await staff.activate({ promotionId });
  await expect.poll(() => keeper.current.version, PATIENCE).toBe(version + 2);
  expect(wholes).toHaveLength(1);
  expect(wholes[0]?.at(-1)).toBe(version);
  expect(steps).toEqual([version + 1, version + 2]);
});

it('overlooks nothing while many write and it reads in small steps', async () => {
  const start = (await loadChanges(ports.sql, 0, 1_000_000, Date.now() + 5_000)).version;
  const seen = new Map<string, number>();
  let isWriting = true;
  const reading = (async () => {
    let after = start;
    for (;;) {
      const wasWriting = isWriting;
      const { entries, version } = await loadChanges(ports.sql, after, 3, Date.now() + 5_000);
      for (const entry of entries) seen.set(entry.id, entry.version);
      after = version;
      if (!wasWriting && entries.length === 0) return;
    }
  })();
  const ids = await Promise.all(Array.from({ length: 25 }, createActive));
  isWriting = false;
  await reading;
  expect(ids.map((id) => seen.get(id))).toEqual(ids.map(() => 2));
});

it('keeps the last good rule set while Postgres is down, and hears of changes again afterwards', async () => {
  const promotionId = await createActive();
  let heard = 0;
  const listen: OpenListener = ({ onNotification, onClose }) => {
    const count = (): void => {
      heard += 1;
      onNotification();
    };
    return pool({ onNotification: count, onClose });
  };
  const { keeper, metrics } = keeperOf(100, listen);
  await keeper.start();
  await server.kill();
  await expect.poll(() => metrics.ruleSetLoadErrors.value, PATIENCE).toBeGreaterThan(0);
  expect(keeper.current.byId(promotionId)?.state).toBe('active');
  expect(await reasonOf(staff.get({ promotionId }))).toBe('ARCHIVE_UNAVAILABLE');
  await server.restart();
  await untilListening();
  const heardBefore = heard;
  await expect.poll(() => staff.deactivate({ promotionId }).catch(() => undefined), PATIENCE).toBeDefined();
  await expect.poll(() => keeper.current.byId(promotionId)?.state, PATIENCE).toBe('inactive');
  await expect.poll(() => heard, PATIENCE).toBeGreaterThan(heardBefore);
});

it('starts from the copy in the ledger while Postgres is down, then follows Postgres', async () => {
  const promotionId = await createActive();
  await server.kill();
  const { keeper } = keeperOf(100);
  await keeper.start();
  expect(keeper.current).toMatchObject({ version: 0 });
  expect(keeper.current.byId(promotionId)?.state).toBe('active');
  await server.restart();
  await expect.poll(() => keeper.current.version, PATIENCE).toBeGreaterThan(0);
  expect(keeper.current.byId(promotionId)?.state).toBe('active');
});

// SPEC P1: old versions stay readable.
it('gives coupons the version they were claimed under', async () => {
  const { promotionId, ref } = await staff.create({ promotion: samplePromotion({ tags: ['old'] }) });
  await staff.update({ promotionId, promotion: samplePromotion({ tags: ['new'] }) });
  const { keeper } = keeperOf(NEVER_MS);
  await keeper.start();
  const book = new PromotionBook(keeper, ports.sql);
  const deadlineMs = Date.now() + 10_000;
  expect(book.byId(promotionId)?.tags).toEqual(['new']);
  expect((await book.version(ref, 2, deadlineMs))?.tags).toEqual(['new']);
  expect((await book.version(ref, 1, deadlineMs))?.tags).toEqual(['old']);
  expect(await book.version(ref, 3, deadlineMs)).toBeUndefined();
});
