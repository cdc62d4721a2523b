import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ArchivedLedger,
  addPromotion,
  EVERY_HAPPENING,
  PLACES,
  startArchivedLedger,
} from '../../test/archived-ledger.ts';
import { definitionOf, soon } from '../../test/ledger-fixture.ts';
import { encodePointsEntry } from '../domain/points-entry.ts';
import { accountOf } from '../ledger/transaction.ts';
import { decodeCursor, encodeCursor, type FeedPosition } from './cursor.ts';
import { EventStreams } from './event-streams.ts';
import { Feed, type FeedItem } from './feed.ts';

const USERS = 12;
const BEGINNING: FeedPosition = {
  generation: 1,
  logs: [{ seq: -1, index: 0xffff, part: 0 }],
  notice: 0,
};

let fixture: ArchivedLedger;
let feed: Feed;

/** Claims of twelve users, a reminder for the third one after them, then points of the first one. */
beforeAll(async () => {
  fixture = await startArchivedLedger();
  feed = new Feed(fixture.sql, PLACES);
  await addPromotion(fixture.sql, 1, 'spring');
  await fixture.ledger.define(definitionOf({ quantity: 1_000, perUserLimit: 10 }), soon());
  await Promise.all(
    Array.from({ length: USERS }, (_, user) => fixture.claim({ user: `u${user}`, request: 'r1' })),
  );
  await fixture.archived();
  await fixture.sql`
    INSERT INTO coupon_notice (coupon_id, kind, user_id, promotion_ref, expires_at, log_seq)
    SELECT coupon_id, 'expiring', user_id, promotion_ref, expires_at, (SELECT seq FROM ledger_cursor)
    FROM coupon WHERE user_id = 'u3'`;
  await earn('u0', 30);
  await fixture.archived();
});

afterAll(() => fixture.close());

async function earn(userId: string, points: number): Promise<void> {
  const entry = {
    number: 1,
    points,
    balanceAfter: points,
    type: 'earn',
    reason: '',
    referenceType: 'order',
    referenceId: 'o1',
    atMs: 1,
  } as const;
  const value = Buffer.from(encodePointsEntry(entry));
  const steps = [{ kind: 'set', on: accountOf(userId), field: Buffer.from('t'), value }] as const;
  await fixture.ledger.transact({ event: 'points_earned', opensNew: false, steps }, soon());
}

async function readAll(limit: number, after = BEGINNING): Promise<FeedItem[]> {
  const items: FeedItem[] = [];
  for (let position = after; ; ) {
    // The cursor is what travels between two reads.
    const from = decodeCursor(encodeCursor(position));
    const batch = await feed.read(from, EVERY_HAPPENING, { limit }, soon());
    items.push(...batch.items);
    // A test beside this one may have claimed since.
    if (batch.items.length === 0) return items.filter(({ userId }) => userId !== 'late');
    position = batch.position;
  }
}

// SPEC L12
describe('the feed', () => {
  test('tells everything once and in the same order, however it is cut', async () => {
    const whole = await readAll(1_000);
    expect(whole).toHaveLength(USERS + 2);
    expect(whole.at(-2)).toMatchObject({ kind: 'expiring', userId: 'u3', promotionId: 'spring' });
    expect(whole.at(-1)).toMatchObject({
      kind: 'points_earned',
      points: 30,
      balanceAfter: 30,
      orderId: 'o1',
    });
    for (const limit of [1, 2, 5]) {
      expect((await readAll(limit)).map(({ eventId }) => eventId)).toEqual(
        whole.map(({ eventId }) => eventId),
      );
    }
    expect(new Set(whole.map(({ eventId }) => eventId)).size).toBe(whole.length);
  });

  test('goes on after the cursor of any event', async () => {
    const whole = await readAll(1_000);
    for (const [index, { position }] of whole.entries()) {
      expect(await readAll(3, position)).toEqual(whole.slice(index + 1));
    }
  });

  test('stops where it is told to, so that a batch can be read again as it was', async () => {
    const first = await feed.read(BEGINNING, EVERY_HAPPENING, { limit: 5 }, soon());
    const again = await feed.read(BEGINNING, EVERY_HAPPENING, { limit: 100, until: first.position }, soon());
    expect(again.items).toEqual(first.items);
  });

  test('passes only what every filter lets through', async () => {
    const ofUser = { kinds: new Set(['claimed', 'expiring'] as const), userId: 'u3' };
    const { items } = await feed.read(BEGINNING, ofUser, { limit: 100 }, soon());
    expect(items.map(({ kind }) => kind)).toEqual(['claimed', 'expiring']);
    const unknown = await feed.read(
      BEGINNING,
      { ...EVERY_HAPPENING, userId: 'nobody' },
      { limit: 100 },
      soon(),
    );
    expect(unknown.items).toEqual([]);
    expect(unknown.position.logs[0]?.seq).toBeGreaterThan(0);
  });

  test('refuses what is no cursor, one of the future, and one whose next events are gone', async () => {
    const newest = await feed.newest(soon());
    const good = encodeCursor(newest);
    for (const text of ['x', `${good}A`, good.slice(1), good.replace(/^./, 'B'), '']) {
      expect(() => decodeCursor(text)).toThrow(expect.objectContaining({ reason: 'CURSOR_INVALID' }));
    }
    const [log = { seq: 0, index: 0, part: 0 }] = newest.logs;
    const ahead = { logs: [{ ...log, seq: log.seq + 1 }] };
    for (const wrong of [ahead, { logs: [log, log] }, { generation: 9 }, { notice: newest.notice + 1 }]) {
      await expect(feed.requireKept({ ...newest, ...wrong }, soon())).rejects.toMatchObject({
        reason: 'CURSOR_INVALID',
      });
    }
    await expect(feed.requireKept(BEGINNING, soon())).resolves.toBeUndefined();
  });
});

// SPEC L12
describe('streams', () => {
  const open = (cursor: string, signal: AbortSignal, heartbeatMs = 50) => {
    const streams = new EventStreams({ feed, metrics: fixture.metrics, nowMs: Date.now, heartbeatMs });
    return {
      streams,
      batches: streams.open({ cursor, filter: { ...EVERY_HAPPENING, userId: 'late' } }, signal),
    };
  };

  test('without a cursor begin with now, beat while nothing happens, and tell what then does', async () => {
    const caller = new AbortController();
    const { batches } = open('', caller.signal);
    const beats = [await batches.next(), await batches.next()];
    expect(beats.map(({ value }) => value?.items)).toEqual([[], []]);
    await fixture.claim({ user: 'late', request: 'r1' });
    let found: FeedItem[] = [];
    for await (const { items } of batches) {
      found = [...found, ...items];
      if (found.length > 0) caller.abort();
    }
    expect(found.map(({ kind, userId }) => [kind, userId])).toEqual([['claimed', 'late']]);
    expect(fixture.metrics.feedStreams.value).toBe(0);
  });

  test('end when the process stops, so that callers go on elsewhere; it then takes no new one', async () => {
    const { streams, batches } = open('', new AbortController().signal, 60_000);
    await batches.next();
    const ended = batches.next();
    ended.catch(() => {});
    await sleep(50);
    streams.close();
    await expect(ended).rejects.toMatchObject({ reason: 'SHUTTING_DOWN' });
    const next = streams.open({ cursor: '', filter: EVERY_HAPPENING }, new AbortController().signal).next();
    await expect(next).rejects.toMatchObject({ reason: 'SHUTTING_DOWN' });
  });
});
