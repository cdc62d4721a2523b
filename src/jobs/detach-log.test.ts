// LEDGER 21, SPEC C9
import { pino } from 'pino';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  archiverOf,
  EVERY_EVENT,
  EVERY_HAPPENING,
  PARTITION,
  PLACES,
  runOnce,
} from '../../test/archived-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { definitionOf, type LedgerFixture, soon, startLedgerFixture } from '../../test/ledger-fixture.ts';
import { ArchiveClient } from '../archive/archive-client.ts';
import type { Archiver } from '../archive/archiver.ts';
import { runAudit } from '../archive/audit.ts';
import { listEvents } from '../archive/list-events.ts';
import { ArchivePlaces } from '../archive/places.ts';
import { createDatabase, type Sql } from '../database/client.ts';
import { MS_PER_DAY } from '../domain/durations.ts';
import { encodeCursor, type FeedPosition, WHOLE_ENTRY } from '../feed/cursor.ts';
import { EventStreams } from '../feed/event-streams.ts';
import { Feed } from '../feed/feed.ts';
import { partitionKeys } from '../ledger/keys.ts';
import { PROMOTION_FIELDS } from '../ledger/record-fields.ts';
import { createDetachJob, type DetachPorts } from './detach-log.ts';
import type { JobCounts } from './job.ts';

const DAYS = 100;
const SEGMENT = 4;
const SEGMENTS = 6;
/** The last entry of the test: in the last segment but one. */
const LAST_SEQ = SEGMENT * (SEGMENTS - 1) + 1;
const NOTHING = { detached: 0, held: 0, busy: 0 };

let fixture: LedgerFixture;
let database: TestDatabase;
let sql: Sql;
let client: ArchiveClient;
let archiver: Archiver;
let lines: Record<string, unknown>[];

/** A log in small segments, with an entry for each claim. */
beforeEach(async () => {
  [fixture, database] = await Promise.all([startLedgerFixture(), createTestDatabase()]);
  sql = createDatabase(database.url, {
    applicationName: 'test',
    maxConnections: 3,
    statementTimeoutMs: 10_000,
    connectTimeoutMs: 5_000,
  });
  client = new ArchiveClient(database.url);
  archiver = archiverOf(client, fixture.admin);
  lines = [];
  for (let from = 0; from < SEGMENT * SEGMENTS; from += SEGMENT)
    await sql`SELECT archive_ensure_log_segment(1, 0, ${from}, ${from + SEGMENT})`;
  await fixture.ledger.define(definitionOf({ quantity: 1_000, perUserLimit: 100 }), soon());
  for (let request = 1; ((await fixture.admin.lastSeq()) ?? 0) < LAST_SEQ; request += 1)
    await fixture.claim({ user: `u${request % 3}`, request: `r${request}` });
  await archiveAll();
});

afterEach(async () => {
  await client.close();
  await sql.end({ timeout: 1 });
  await Promise.all([fixture.close(), database.drop()]);
});

async function archiveAll(): Promise<void> {
  for (;;) {
    await archiver.turn();
    const [row] = await sql`SELECT seq FROM ledger_cursor`;
    if (Number(row?.['seq'] ?? -1) === (await fixture.admin.lastSeq())) return;
  }
}

/** A run of the job when everything is so many days older. */
function detach(afterDays = DAYS + 1, ports: Partial<DetachPorts> = {}): Promise<JobCounts> {
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const { metrics } = fixture;
  const own = {
    sql,
    places: PLACES,
    ledger: fixture.ledger,
    days: DAYS,
    cron: '50 * * * *',
    timeZone: 'UTC',
  };
  const job = createDetachJob({ ...own, metrics, logger, nowMs: Date.now, ...ports });
  return runOnce(job, Date.now() + afterDays * MS_PER_DAY);
}

async function firstLogged(): Promise<number> {
  const [row] = await sql`SELECT min(seq)::int AS seq FROM event_log`;
  return Number(row?.['seq']);
}

const heldBy = (): unknown[] =>
  lines.filter(({ event }) => event === 'log_segment_held').map((line) => line['neededBy'] ?? line['reason']);

function placeAfter(seq: number): FeedPosition {
  return { generation: 1, logs: [{ seq, index: WHOLE_ENTRY, part: 0 }], notice: 0 };
}

async function addReader(seq: number): Promise<void> {
  await sql`INSERT INTO feed_reader (name, cursor) VALUES ('sms', ${encodeCursor(placeAfter(seq))})
    ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor`;
}

async function addWebhook(seq: number): Promise<void> {
  await sql`
    INSERT INTO webhook (id, url, kinds, is_enabled, secret, cursor, created_by)
    VALUES ('w1', 'https://shop.test', '{}', false, '', ${encodeCursor(placeAfter(seq))}, 'test')`;
}

const audit = () => runAudit({ sql, ledger: fixture.admin, id: PARTITION });

async function breaches(): Promise<string[]> {
  return (await audit()).checks.flatMap((check) => check.breaches);
}

describe('a segment of the log', () => {
  test('leaves when its days are over and nobody needs it, and is kept whole outside the log', async () => {
    await fixture.admin.trimBelow(LAST_SEQ);
    const before = await sql`SELECT seq, payload FROM event_log WHERE seq < ${2 * SEGMENT} ORDER BY seq`;
    expect(await detach(DAYS - 1)).toEqual(NOTHING);
    expect(await detach(DAYS + 1, { days: 0 })).toEqual(NOTHING);
    expect(await detach()).toEqual({ detached: SEGMENTS - 1, held: 1, busy: 0 });
    expect(await firstLogged()).toBe(SEGMENT * (SEGMENTS - 1));
    const kept = await sql`
      SELECT seq, payload FROM hongbao_detached.event_log_g1_p0_0
      UNION ALL SELECT seq, payload FROM hongbao_detached.event_log_g1_p0_4 ORDER BY seq`;
    expect([...kept]).toEqual([...before]);
    // An archiver that was held up for long makes it again.
    await sql`SELECT archive_ensure_log_segment(1, 0, 0, ${SEGMENT})`;
    expect(await detach()).toEqual({ detached: 1, held: 1, busy: 0 });
    const [first] = await sql`SELECT count(*)::int AS entries FROM hongbao_detached.event_log_g1_p0_0`;
    expect(first).toEqual({ entries: SEGMENT });
    expect(fixture.metrics.logSegmentsDetached.value).toBe(SEGMENTS);
    expect(fixture.metrics.logSegmentsHeld.value).toBe(1);
    expect(lines.filter(({ event }) => event === 'log_segment_detached')).toHaveLength(SEGMENTS);
  });

  test('stays while Redis has an entry of it, or nothing can be told of its stream', async () => {
    expect(await detach()).toEqual({ ...NOTHING, held: 1 });
    await fixture.admin.trimBelow(2 * SEGMENT + 1);
    expect(await detach()).toEqual({ detached: 2, held: 1, busy: 0 });
    expect(heldBy()).toEqual(['Redis', 'Redis']);
    await fixture.redis.flushall();
    expect(await detach()).toEqual({ ...NOTHING, held: 1 });
  });

  test('stays while a webhook, even one that is switched off, or another reader is before its end', async () => {
    await fixture.admin.trimBelow(LAST_SEQ);
    await addWebhook(SEGMENT - 1);
    await addReader(3 * SEGMENT - 2);
    expect(await detach()).toEqual({ detached: 1, held: 1, busy: 0 });
    await sql`UPDATE webhook SET deleted_at = now()`;
    expect(await detach()).toEqual({ detached: 1, held: 1, busy: 0 });
    await addReader(3 * SEGMENT - 1);
    expect(await detach()).toEqual({ detached: 1, held: 1, busy: 0 });
    expect(heldBy()).toEqual(['webhook w1', 'reader sms', 'reader sms']);
  });

  test('stays while an event of it waits, an entry is not projected, or earlier entries are left', async () => {
    await fixture.admin.trimBelow(LAST_SEQ);
    await sql`UPDATE event_log SET projected = false WHERE seq = 1`;
    expect(await detach()).toEqual({ ...NOTHING, held: 1 });
    await sql`UPDATE event_log SET projected = true WHERE seq = 1`;
    await sql`
      INSERT INTO quarantine (generation, partition, seq, event_index, subject, error) VALUES (1, 0, 5, 0, '', 'x')`;
    expect(await detach()).toEqual({ detached: 1, held: 1, busy: 0 });
    await sql`UPDATE quarantine SET settled_at = now()`;
    const stray = sql`FROM hongbao_detached.event_log_g1_p0_0 WHERE seq = 3`;
    await sql`INSERT INTO event_log_default SELECT * ${stray}`;
    expect(await detach()).toEqual({ ...NOTHING, held: 1 });
    expect(heldBy()).toEqual(['unprojected', 'quarantined', 'follows']);
  });

  test('is tried again another time when somebody reads the log for long', async () => {
    await fixture.admin.trimBelow(LAST_SEQ);
    const reader = postgres(database.url, { max: 1, onnotice: () => undefined });
    await reader.begin(async (transaction) => {
      await transaction`SELECT count(*) FROM event_log`;
      expect(await detach()).toEqual({ ...NOTHING, busy: 1 });
    });
    await reader.end();
    expect(await detach()).toMatchObject({ detached: SEGMENTS - 1 });
  });

  test('of a generation that is over goes by the same rule, without Redis', async () => {
    await sql`UPDATE ledger_generation SET state = 'closed', partitions = 1`;
    const places = new ArchivePlaces(2, 1);
    await addReader(SEGMENT - 1);
    expect(await detach(DAYS + 1, { places })).toEqual({ detached: 1, held: 1, busy: 0 });
    const next = { ...placeAfter(-1), generation: 2 };
    await sql`UPDATE feed_reader SET cursor = ${encodeCursor(next)}`;
    expect(await detach(DAYS + 1, { places })).toEqual({ detached: SEGMENTS - 2, held: 1, busy: 0 });
    // The entry at the cursor stays: it is what the generation ended with.
    expect(await firstLogged()).toBe(SEGMENT * (SEGMENTS - 1));
  });
});

describe('a log whose oldest segments are gone', () => {
  beforeEach(async () => {
    await fixture.admin.trimBelow(3 * SEGMENT + 1);
    await detach();
    expect(await firstLogged()).toBe(3 * SEGMENT);
  });

  test('is audited from where it begins, while claims go on and by a new archiver; a planted breach is found', async () => {
    expect(await breaches()).toEqual([]);
    archiver = archiverOf(client, fixture.admin, { owner: 'the next one' });
    await sql`UPDATE ledger_cursor SET lease_until = now()`;
    for (let request = 1; request <= 3; request += 1) {
      await fixture.claim({ user: 'u1', request: `later-${request}` });
      expect(await breaches()).toEqual([]);
    }
    await archiveAll();
    const { checks, holds } = await audit();
    expect(holds).toBe(true);
    expect(checks.flatMap(({ notes }) => notes)).toContain(`the log starts at entry ${3 * SEGMENT}`);
    // What is wrong is found all the same.
    await sql`UPDATE coupon SET state = 'used' WHERE issued_seq = 2`;
    expect((await breaches()).join()).toMatch(/the columns of coupon [0-9a-f]+ contradict its value/);
    await sql`UPDATE coupon SET state = 'unused' WHERE issued_seq = 2`;
    // Both stores agree on a stock that is smaller than what was issued of it, and no entry that is left tells it.
    await sql`UPDATE promotion_counter SET received = 5`;
    await fixture.redis.hset(`${partitionKeys(0).promotionPrefix}1`, PROMOTION_FIELDS.received.name, '5');
    expect((await breaches()).join()).toMatch(/^number \d+ of 5 of promotion 1 was issued$/);
    await sql`DELETE FROM event_log WHERE seq = ${3 * SEGMENT + 2}`;
    expect(await breaches()).toContain(`the log goes from entry ${3 * SEGMENT + 1} to ${3 * SEGMENT + 3}`);
  });

  test('is not taken for broken when a segment leaves it during an audit', async () => {
    await fixture.admin.trimBelow(LAST_SEQ);
    let detached: JobCounts | undefined;
    const ledger = Object.create(fixture.admin, {
      lastSeq: {
        value: async () => {
          detached ??= await detach();
          return await fixture.admin.lastSeq();
        },
      },
    });
    const report = await runAudit({ sql, ledger, id: PARTITION, eventsPerPass: 2 });
    expect(detached).toMatchObject({ detached: SEGMENTS - 4 });
    expect(report.checks.flatMap((check) => check.breaches)).toEqual([]);
    expect(report.checks.flatMap(({ notes }) => notes)).toContain(
      `the log starts at entry ${SEGMENT * (SEGMENTS - 1)}`,
    );
  });

  test('does not refill an emptied Redis: the partition stays shut, and the archive says why', async () => {
    await fixture.redis.flushall();
    archiver = archiverOf(client, fixture.admin, { owner: 'the next one', metrics: fixture.metrics });
    await sql`UPDATE ledger_cursor SET lease_until = now()`;
    await archiver.turn();
    expect(fixture.metrics.archiveHalted.child('0', 'hole').value).toBe(1);
    expect(await fixture.admin.lastSeq()).toBeUndefined();
  });

  test('is listed to its beginning, and tells who comes with an older cursor which one is the oldest that works', async () => {
    const scan = { sql, places: PLACES, filter: EVERY_EVENT, deadlineMs: soon() };
    const { events, next } = await listEvents(scan, { below: undefined, limit: 1_000 });
    expect(next).toBeUndefined();
    expect([events.at(0)?.seq, events.at(-1)?.seq]).toEqual([LAST_SEQ, 3 * SEGMENT]);
    await tellsTheOldestCursor();
  });

  /** Who comes with an older one is told which it is, and nothing is passed over in silence. */
  async function tellsTheOldestCursor(): Promise<void> {
    const feed = new Feed(sql, PLACES);
    const refused = {
      reason: 'CURSOR_INVALID',
      detail: { metadata: { oldest_cursor: encodeCursor(placeAfter(3 * SEGMENT - 1)) } },
    };
    for (const old of [placeAfter(-1), placeAfter(3 * SEGMENT - 2)]) {
      await expect(feed.requireKept(old, soon())).rejects.toMatchObject(refused);
      // A stream that was open for so long passes over nothing either.
      await expect(feed.read(old, EVERY_HAPPENING, { limit: 10 }, soon())).rejects.toMatchObject(refused);
      const streams = new EventStreams({ feed, metrics: fixture.metrics, nowMs: Date.now });
      const batches = streams.open(
        { cursor: encodeCursor(old), filter: EVERY_HAPPENING },
        new AbortController().signal,
      );
      await expect(batches.next()).rejects.toMatchObject(refused);
    }
    const inTheMiddle = { ...placeAfter(0), logs: [{ seq: 3 * SEGMENT - 1, index: 0, part: 0 }] };
    await expect(feed.requireKept(inTheMiddle, soon())).rejects.toMatchObject(refused);
    const oldest = placeAfter(3 * SEGMENT - 1);
    await feed.requireKept(oldest, soon());
    const { items } = await feed.read(oldest, EVERY_HAPPENING, { limit: 100 }, soon());
    expect(items.at(0)?.eventId).toBe(`1-${3 * SEGMENT}-0-0`);
    expect(items.at(-1)?.eventId).toBe(`1-${LAST_SEQ}-0-0`);
  }
});
