// SPEC L12, LEDGER 8: a rebuild makes another log, and followers are led to it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type ArchivedLedger,
  addPromotion,
  EVERY_HAPPENING,
  startArchivedLedger,
} from '../../test/archived-ledger.ts';
import { definitionOf, soon } from '../../test/ledger-fixture.ts';
import { ArchivePlaces } from '../archive/places.ts';
import { type FeedPosition, WHOLE_ENTRY } from './cursor.ts';
import { Feed, type FeedItem } from './feed.ts';

const START = { seq: -1, index: WHOLE_ENTRY, part: 0 };
const BEGINNING: FeedPosition = { generation: 1, logs: [START], notice: 0 };
const USERS = ['u1', 'u2', 'u3', 'u4'];

let fixture: ArchivedLedger;
let feed: Feed;

/** Generation 1 has a claim of each user, and is over; in generation 2, with two partitions, each of them has one more. */
beforeAll(async () => {
  fixture = await startArchivedLedger();
  const { sql } = fixture;
  await addPromotion(sql, 1, 'spring');
  await fixture.ledger.define(definitionOf({ quantity: 1_000, perUserLimit: 10 }), soon());
  for (const user of USERS) await fixture.claim({ user, request: 'r1' });
  await fixture.archived();
  await sql`UPDATE ledger_generation SET state = 'closed', closed_at = now()`;
  await sql`INSERT INTO ledger_generation (generation, partitions, state, reason) VALUES (2, 2, 'current', 'test')`;
  await sql`
    INSERT INTO event_log (generation, partition, seq, entry_time, event_count, payload, projected)
    SELECT 2, 1, row_number() OVER (ORDER BY seq) - 1, entry_time, event_count, payload, true
    FROM event_log WHERE seq > 1`;
  await sql`
    INSERT INTO ledger_cursor (generation, partition, seq)
    SELECT 2, 0, -1 UNION ALL SELECT 2, 1, max(seq) FROM event_log WHERE generation = 2`;
  await sql`
    INSERT INTO coupon_notice (coupon_id, kind, user_id, promotion_ref, expires_at, log_seq, noted_at)
    SELECT coupon_id, 'expiring', user_id, promotion_ref, expires_at, -1, now() + interval '1 second'
    FROM coupon WHERE user_id = 'u1'`;
  feed = new Feed(sql, new ArchivePlaces(2, 2));
});

afterAll(() => fixture.close());

async function readAll(limit: number): Promise<FeedItem[]> {
  const items: FeedItem[] = [];
  for (let position = BEGINNING; ; ) {
    await feed.requireKept(position, soon());
    const batch = await feed.read(position, EVERY_HAPPENING, { limit }, soon());
    items.push(...batch.items);
    if (batch.items.length === 0) return items;
    position = batch.position;
  }
}

test('the feed goes on from the end of a generation to the next one, at any place', async () => {
  const whole = await readAll(1_000);
  const generations = whole.map(({ position }) => position.generation);
  expect(generations).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 2]);
  // What a job noted after the rebuild waits for the logs of its generation.
  expect(whole.findIndex(({ kind }) => kind === 'expiring')).toBeGreaterThanOrEqual(USERS.length);
  for (const limit of [1, 3]) expect(await readAll(limit)).toEqual(whole);
});

test('a batch that ends before the end of a generation is read again as it was', async () => {
  const first = await feed.read(BEGINNING, EVERY_HAPPENING, { limit: 3 }, soon());
  const again = await feed.read(BEGINNING, EVERY_HAPPENING, { limit: 100, until: first.position }, soon());
  expect(again.items).toEqual(first.items);
  const across = await feed.read(BEGINNING, EVERY_HAPPENING, { limit: 6 }, soon());
  expect(across.position.generation).toBe(2);
  const same = await feed.read(BEGINNING, EVERY_HAPPENING, { limit: 100, until: across.position }, soon());
  expect(same.items).toEqual(across.items);
});
