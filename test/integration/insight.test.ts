/** InsightService over a real archive: filters, pages, tokens. */

import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArchiveClient } from '../../src/archive/archive-client.ts';
import { decodeStreamEntry } from '../../src/archive/decoded-entry.ts';
import { flushBatch } from '../../src/archive/flush.ts';
import { foldEntries } from '../../src/archive/fold.ts';
import { ensureCursor, takeLease } from '../../src/archive/lease.ts';
import { ArchivePlaces } from '../../src/archive/places.ts';
import { SAMPLE_START_MS, SampleLedger, sampleDefinition } from '../../src/archive/sample-entries.ts';
import { CouponState } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import {
  LedgerEventKind,
  type ListIssuedCouponsRequest,
  ListIssuedCouponsRequestSchema,
  type ListLedgerEventsRequest,
  ListLedgerEventsRequestSchema,
} from '../../src/gen/hongbao/v1/insight_service_pb.ts';
import type { CallContext } from '../../src/transport/call-context.ts';
import { listIssuedCoupons } from '../../src/transport/handlers/list-issued-coupons.ts';
import { listLedgerEvents } from '../../src/transport/handlers/list-ledger-events.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';

const ID = { generation: 1, partition: 0 };
const CLAIMS = 25;
/** One entry for the start, one for the definitions, then one per claim; ten milliseconds apart. */
const FIRST_CLAIM_SEQ = 2;

let database: TestDatabase;
let sql: postgres.Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 3, onnotice: () => {} });
  await addPromotion(1, 'spring');
  await addPromotion(2, 'summer');
  await archiveSample();
});

afterAll(async () => {
  await sql.end();
  await database.drop();
});

async function addPromotion(ref: number, id: string): Promise<void> {
  await sql`
    INSERT INTO promotion (ref, id, version, state, category, way, effect, currency, priority, tags, searchable, created_at,
      updated_at, rule_set_version)
    VALUES (${ref}, ${id}, 1, 'active', 1, 1, 1, 'CNY', 0, '{}', '', now(), now(), ${ref})`;
}

/** Claims by u0, u1, … u4 in turn, even ones of `spring`; then u0 hides the first coupon. */
async function archiveSample(): Promise<void> {
  const ledger = new SampleLedger();
  const definitions = [ledger.defined(sampleDefinition(1)), ledger.defined(sampleDefinition(2))];
  const entries = [ledger.entry(ledger.opened()), ledger.entry(...definitions)];
  for (let index = 0; index < CLAIMS; index += 1) {
    entries.push(ledger.entry(ledger.claimed(`u${index % 5}`, 1 + (index % 2), `r${index}`)));
  }
  entries.push(ledger.entry(ledger.hidden('u0', 'r0')));
  const client = new ArchiveClient(database.url);
  await ensureCursor(sql, ID);
  const lease = await takeLease(sql, ID, 'test', 60_000);
  if (lease === undefined) throw new Error('the partition is taken');
  const batch = foldEntries(entries.map(decodeStreamEntry), { eventsTotal: 0, blockedSubjects: new Set() });
  await flushBatch(client, { id: ID, lease, leaseMs: 60_000 }, batch);
  await client.close();
}

function context(nowMs = SAMPLE_START_MS): CallContext {
  const identity = { kind: 'admin', actor: 'test', scopes: new Set<string>() } as const;
  return { identity, deadlineMs: Date.now() + 10_000, signal: new AbortController().signal, nowMs };
}

function coupons(request: Partial<ListIssuedCouponsRequest> = {}, nowMs?: number) {
  const { $typeName: _, ...fields } = create(ListIssuedCouponsRequestSchema);
  const message = create(ListIssuedCouponsRequestSchema, { ...fields, ...request });
  return listIssuedCoupons({ sql, places: new ArchivePlaces(1, 1) })(message, context(nowMs));
}

function events(request: Partial<ListLedgerEventsRequest> = {}) {
  const { $typeName: _, ...fields } = create(ListLedgerEventsRequestSchema);
  const message = create(ListLedgerEventsRequestSchema, { ...fields, ...request });
  return listLedgerEvents({ sql, places: new ArchivePlaces(1, 1) })(message, context());
}

// SPEC C4: coupons and the event log are queryable.
describe('ListIssuedCoupons', () => {
  test('pages hold every coupon once, newest first', async () => {
    const ids: string[] = [];
    let pageToken = '';
    do {
      const page = await coupons({ pageSize: 7, pageToken });
      ids.push(...(page.coupons ?? []).map((coupon) => coupon.couponId ?? ''));
      pageToken = page.nextPageToken ?? '';
    } while (pageToken !== '');
    expect(ids).toHaveLength(CLAIMS);
    expect(ids).toEqual([...new Set(ids)].sort().reverse());
  });

  test('filters by promotion, user and time hold together', async () => {
    const page = await coupons({ promotionId: 'summer', userId: 'u1' });
    expect(page.coupons).toHaveLength(3);
    expect(new Set(page.coupons?.map((coupon) => `${coupon.promotionId} ${coupon.userId}`))).toEqual(
      new Set(['summer u1']),
    );
    const issuedFrom = timestampFromMs(SAMPLE_START_MS + (FIRST_CLAIM_SEQ + 3) * 10);
    const issuedUntil = timestampFromMs(SAMPLE_START_MS + (FIRST_CLAIM_SEQ + 8) * 10);
    expect((await coupons({ issuedFrom, issuedUntil })).coupons).toHaveLength(5);
    expect((await coupons({ promotionId: 'unknown' })).coupons).toEqual([]);
  });

  test('a token of another query is refused', async () => {
    const { nextPageToken = '' } = await coupons({ pageSize: 1 });
    await expect(coupons({ userId: 'u1', pageToken: nextPageToken })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
    });
  });

  // SPEC L8: a coupon past its time is expired on every read at once.
  test('states are as of now, and the answer says how far the archive reaches', async () => {
    const page = await coupons({ userId: 'u0' }, SAMPLE_START_MS + 30 * 86_400_000);
    expect(new Set(page.coupons?.map((coupon) => coupon.state))).toEqual(new Set([CouponState.EXPIRED]));
    expect(page.coupons?.filter((coupon) => coupon.hidden)).toHaveLength(1);
    expect(page.archivedUntil).toEqual(timestampFromMs(SAMPLE_START_MS + (FIRST_CLAIM_SEQ + CLAIMS) * 10));
  });
});

describe('ListLedgerEvents', () => {
  test('pages hold every event once, newest first', async () => {
    const places: bigint[] = [];
    let pageToken = '';
    do {
      const page = await events({ pageSize: 4, pageToken });
      places.push(
        ...(page.events ?? []).map((event) => (event.sequence ?? 0n) * 1_000n + BigInt(event.index ?? 0)),
      );
      pageToken = page.nextPageToken ?? '';
    } while (pageToken !== '');
    expect(places).toHaveLength(CLAIMS + 4);
    expect(places).toEqual([...places].sort((a, b) => Number(b - a)));
    expect(new Set(places).size).toBe(places.length);
  });

  test('filters by kind, user, promotion and time', async () => {
    const hidden = await events({ kinds: [LedgerEventKind.HIDDEN] });
    expect(hidden.events).toMatchObject([
      { userId: 'u0', promotionId: 'spring', kind: LedgerEventKind.HIDDEN },
    ]);
    const ofUser = await events({ userId: 'u0' });
    expect(ofUser.events).toHaveLength(6);
    const ofPromotion = await events({
      promotionId: 'summer',
      kinds: [LedgerEventKind.DEFINED, LedgerEventKind.CLAIMED],
    });
    expect(ofPromotion.events).toHaveLength(13);
    const occurredFrom = timestampFromMs(SAMPLE_START_MS + (FIRST_CLAIM_SEQ + 3) * 10);
    const occurredUntil = timestampFromMs(SAMPLE_START_MS + (FIRST_CLAIM_SEQ + 8) * 10);
    expect((await events({ occurredFrom, occurredUntil })).events).toHaveLength(5);
    expect((await events({ promotionId: 'unknown' })).events ?? []).toEqual([]);
  });

  test('a token of another query is refused', async () => {
    const { nextPageToken = '' } = await events({ pageSize: 1 });
    await expect(events({ userId: 'u1', pageToken: nextPageToken })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
    });
  });
});
