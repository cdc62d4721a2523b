/** What takes several steps over two stores ends in one of two states, wherever a process dies; the job for it, or a repeat, leads there. */

import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArchivePlaces } from '../../src/archive/places.ts';
import { CodeClaims } from '../../src/codes/claim-code.ts';
import { CodeBook } from '../../src/codes/code-book.ts';
import { CodeSecrets } from '../../src/codes/code-secrets.ts';
import { normaliseCode } from '../../src/codes/code-text.ts';
import { createCompleteCodeClaimsJob } from '../../src/codes/complete-claims-job.ts';
import { PlausibleCodes } from '../../src/codes/plausible-codes.ts';
import { PublicCodes } from '../../src/codes/public-codes.ts';
import { createDatabase, type Sql } from '../../src/database/client.ts';
import type { EventPorts } from '../../src/events/event-ports.ts';
import { ingestEvent } from '../../src/events/ingest-event.ts';
import { createRetryEventsJob } from '../../src/events/retry-events-job.ts';
import { EventOutcome, type IngestEventRequest } from '../../src/gen/hongbao/v1/event_service_pb.ts';
import { GrantCouponsRequestSchema } from '../../src/gen/hongbao/v1/grant_pb.ts';
import { GenerateCodesRequestSchema } from '../../src/gen/hongbao/v1/promotion_code_pb.ts';
import { createRunGrantsJob } from '../../src/grants/run-grants-job.ts';
import { Points } from '../../src/points/points.ts';
import { Redemptions } from '../../src/redemption/redemptions.ts';
import { createSweepJob } from '../../src/redemption/sweep-job.ts';
import { RuleSet } from '../../src/ruleset/rule-set.ts';
import { generateCodes } from '../../src/transport/handlers/generate-codes.ts';
import { grantCoupons } from '../../src/transport/handlers/grant-coupons.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { staffCall } from '../definition-fixture.ts';
import { type EventsFixture, eventOf, startEventsFixture } from '../events-fixture.ts';
import { soon } from '../ledger-fixture.ts';
import { caller, orderOf, type RedemptionFixture, startRedemptionFixture } from '../redemption-fixture.ts';
import { runJob, type StaffFixture, startStaffFixture } from '../staff-fixture.ts';
import { DyingProcess, dieEverywhere } from './dying-process.ts';

/** Longer than any hold of a code. */
const LATER_MS = 48 * 3_600_000;
const TIMEOUT = { timeout: 120_000 };

let scenes = 0;
function fresh(): string {
  scenes += 1;
  return `user-${scenes}`;
}

// SPEC L3, L5, I4
describe('a single-use code in an order', TIMEOUT, () => {
  let fixture: RedemptionFixture;
  let database: TestDatabase;
  let sql: Sql;
  let book: CodeBook;
  const secrets = new CodeSecrets('the key of these tests, long enough to be one');

  beforeAll(async () => {
    [fixture, database] = await Promise.all([startRedemptionFixture(), createTestDatabase()]);
    const options = {
      applicationName: 'test',
      maxConnections: 4,
      statementTimeoutMs: 5_000,
      connectTimeoutMs: 2_000,
    };
    sql = createDatabase(database.url, options);
    book = new CodeBook({ sql, secrets, plausible: new PlausibleCodes(sql, Date.now) });
    await fixture.define({ ref: 1, id: 'once', way: 'single-use code' });
  });
  afterAll(async () => {
    await sql.end({ timeout: 1 });
    await fixture.close();
    await database.drop();
  });

  const redemptionsOf = (process: DyingProcess): Redemptions => {
    const { ledger } = fixture.ledger;
    return new Redemptions({ ...fixture.ports, ledger: process.ledger(ledger), codes: process.all(book) });
  };
  const living = (): Redemptions => redemptionsOf(new DyingProcess(Infinity, false));

  async function newOrder() {
    const userId = fresh();
    const code = `once-${scenes}`;
    const hash = secrets.digest(normaliseCode(code));
    await sql`insert into promo_code (hash, promotion_ref, job, number) values (${hash}, 1, 1, ${scenes})`;
    return { userId, hash, order: orderOf({ userId, codes: [code] }) };
  }

  type Scene = Awaited<ReturnType<typeof newOrder>>;

  async function sweep(): Promise<void> {
    const ports = { ...fixture.ports, codes: book, nowMs: () => Date.now() + LATER_MS };
    expect(await runJob(createSweepJob(ports))).toMatchObject({ failed: 0 });
  }

  /** The order's state, and that of its code with its order. */
  async function stateOf({ userId, hash }: Scene): Promise<string> {
    const [row] = await sql<{ state: string; order_id: string | null }[]>`
      select state, order_id from promo_code where hash = ${hash}`;
    const order = await living()
      .get(userId, 'o1', soon())
      .catch(() => undefined);
    return `order ${order?.redemption.state}, code ${row?.state} ${row?.order_id}`;
  }

  const ending = ({ userId }: Scene) => ({
    userId,
    orderId: 'o1',
    requestId: 'x1',
    reservationId: '',
    reason: '',
  });
  const NOTHING = 'order undefined, code free null';
  const HELD = 'order reserved, code held o1';

  it.each([
    ['reserve', HELD],
    ['use', 'order committed, code used o1'],
  ] as const)('is taken with it or not at all, wherever %s is cut off', async (call, done) => {
    const seen = new Set<string>();
    const points = await dieEverywhere(
      async (process) => {
        const scene = await newOrder();
        await redemptionsOf(process)
          [call](scene.order, caller())
          .catch(() => undefined);
        return scene;
      },
      async (scene, isThrough) => {
        await sweep();
        const state = await stateOf(scene);
        expect(isThrough ? [done] : [NOTHING, done]).toContain(state);
        seen.add(state);
        // Whoever repeats the call gets what it asked for.
        await living()[call](scene.order, caller());
        expect(await stateOf(scene)).toBe(done);
      },
    );
    expect([...seen].sort()).toEqual([done, NOTHING].sort());
    expect(Math.min(points.before, points.after)).toBeGreaterThanOrEqual(3);
  });

  it.each([
    ['commit', 'order committed, code used o1'],
    ['release', 'order released, code free null'],
  ] as const)('follows its order, wherever %s is cut off', async (call, done) => {
    const seen = new Set<string>();
    await dieEverywhere(
      async (process) => {
        const scene = await newOrder();
        await living().reserve(scene.order, caller());
        await redemptionsOf(process)
          [call](ending(scene), soon())
          .catch(() => undefined);
        return scene;
      },
      async (scene, isThrough) => {
        await sweep();
        const state = await stateOf(scene);
        expect(isThrough ? [done] : [HELD, done]).toContain(state);
        seen.add(state);
        await living()[call](ending(scene), soon());
        expect(await stateOf(scene)).toBe(done);
      },
    );
    expect([...seen].sort()).toEqual([done, HELD].sort());
  });
});

describe('what staff give', TIMEOUT, () => {
  let fixture: StaffFixture;
  beforeAll(async () => {
    fixture = await startStaffFixture();
  });
  afterAll(() => fixture.close());

  async function couponsOf(userId: string): Promise<string[]> {
    const wallet = await fixture.ledger.ledger.read(soon(), (reads) => reads.wallet(userId));
    return wallet.map(({ couponId }) => couponId);
  }

  async function codes(count: number): Promise<string[]> {
    const { promotionId } = await fixture.promotion({
      reach: { code: { singleUseCodes: { prefix: 'C-' } } },
    });
    const request = { promotionId, requestId: randomUUID(), count, reason: 'spring' };
    const { job } = await generateCodes(fixture)(create(GenerateCodesRequestSchema, request), staffCall());
    await fixture.runGenerate();
    const csv = await fixture.exported(job?.jobId ?? '');
    return csv
      .trim()
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(',')[0] ?? '');
  }

  function claimsOf(process: DyingProcess): CodeClaims {
    const sql = process.sql(fixture.sql);
    return new CodeClaims({
      sql,
      ledger: process.ledger(fixture.ports.ledger),
      secrets: fixture.codes.secrets,
      publicCodes: new PublicCodes(() => RuleSet.empty()),
      plausible: new PlausibleCodes(sql, Date.now),
      reportUnsettled: () => undefined,
    });
  }

  // SPEC L5, L7, I4
  it('a code taken into the wallet is one coupon or is free, wherever the claim is cut off', async () => {
    const unused = (await codes(40)).values();
    const seen = new Set<string>();
    await dieEverywhere(
      async (process) => {
        const claim = { code: unused.next().value ?? '', userId: fresh(), requestId: 'r1', facts: undefined };
        await claimsOf(process)
          .claim(claim, soon())
          .catch(() => undefined);
        return claim;
      },
      async (claim) => {
        const { sql } = fixture;
        await sql`update promo_code set hold_until = now() - interval '1 second' where hold_until is not null`;
        const { claims } = fixture.codes;
        await runJob(createCompleteCodeClaimsJob({ sql, claims, nowMs: Date.now }));
        const hash = fixture.codes.secrets.digest(normaliseCode(claim.code));
        const [row] = await sql<{ state: string; id: string | null }[]>`
          select state, encode(coupon_id, 'hex') as id from promo_code where hash = ${hash}`;
        const coupons = await couponsOf(claim.userId);
        seen.add(row?.state ?? '');
        if (row?.state === 'free') expect(coupons).toEqual([]);
        else expect([row?.state, coupons]).toEqual(['used', [row?.id]]);
        const { couponId } = await claims.claim(claim, soon());
        expect(await couponsOf(claim.userId)).toEqual([couponId]);
      },
    );
    expect([...seen].sort()).toEqual(['free', 'used']);
  });

  // SPEC L7, I4
  it('a grant gives everybody one coupon, wherever a run of its job is cut off', async () => {
    const { promotionId } = await fixture.promotion({ reach: { granted: { staff: {} } } });
    const seen = new Set<number>();
    await dieEverywhere(
      async (process) => {
        const userIds = [fresh(), fresh(), fresh()];
        const recipients = { case: 'userList', value: { userIds } } as const;
        const request = { promotionId, requestId: randomUUID(), reason: 'sorry', recipients };
        const message = create(GrantCouponsRequestSchema, request);
        const { job } = await grantCoupons(fixture.ports)(message, staffCall());
        const { sql, ledger, nowMs } = fixture.ports;
        const ports = { sql: process.sql(sql), ledger: process.ledger(ledger), nowMs };
        const places = new ArchivePlaces(1, 1);
        await runJob(createRunGrantsJob({ ...ports, places })).catch(() => undefined);
        return { userIds, jobId: job?.jobId ?? '' };
      },
      async ({ userIds, jobId }) => {
        const given = await Promise.all(userIds.map(couponsOf));
        seen.add(given.flat().length);
        const { sql } = fixture;
        await sql`update grant_recipient set leased_until = now() - interval '1 second' where leased_until is not null`;
        await fixture.runGrants();
        const counts = await Promise.all(userIds.map(async (userId) => (await couponsOf(userId)).length));
        expect(counts).toEqual([1, 1, 1]);
        const [row] = await sql`select state, granted::int as granted from grant_job where job_id = ${jobId}`;
        expect(row).toEqual({ state: 'done', granted: 3 });
      },
    );
    expect(seen.has(0) && seen.has(3)).toBe(true);
  });
});

// SPEC L5, T1, I4, I5
describe('an event of the shop', TIMEOUT, () => {
  let fixture: EventsFixture;
  let promotionId: string;
  beforeAll(async () => {
    fixture = await startEventsFixture();
    ({ promotionId } = await fixture.granting({ registration: {} }));
  });
  afterAll(() => fixture.close());

  function portsOf(process: DyingProcess): EventPorts {
    const { ports } = fixture;
    const ledger = process.ledger(ports.ledger);
    const settings = { rates: {}, expiryMonths: 0, timeZone: 'UTC' };
    const points = new Points({ ledger, settings, metrics: fixture.redemption.ledger.metrics });
    return { ...ports, ledger, points, sql: process.sql(ports.sql), logger: pino({ level: 'silent' }) };
  }

  async function retry(): Promise<void> {
    await fixture.ports.sql`update event_inbox set next_attempt_at = now() where next_attempt_at is not null`;
    await runJob(createRetryEventsJob(fixture.ports));
  }

  /** Ends every event that way, and tells it once more; `effectsOf` says what it did. */
  async function everywhere(
    eventFor: (userId: string) => IngestEventRequest,
    effectsOf: (userId: string) => Promise<unknown>,
    [none, all]: readonly [unknown, unknown],
  ): Promise<void> {
    const seen: unknown[] = [];
    await dieEverywhere(
      async (process) => {
        const request = eventFor(fresh());
        await ingestEvent(portsOf(process), request, soon()).catch(() => undefined);
        return request;
      },
      async (request) => {
        await retry();
        const [row] = await fixture.ports
          .sql`select state from event_inbox where event_id = ${request.eventId}`;
        const effects = await effectsOf(request.userId);
        seen.push(row?.['state']);
        expect([row?.['state'], effects]).toEqual(row === undefined ? [undefined, none] : ['applied', all]);
        const { outcome } = await ingestEvent(fixture.ports, request, soon());
        expect(outcome).toBe(row === undefined ? EventOutcome.APPLIED : EventOutcome.DUPLICATE);
        expect(await effectsOf(request.userId)).toEqual(all);
      },
    );
    expect([...new Set(seen)]).toEqual([undefined, 'applied']);
  }

  it('gives one coupon or was never told, wherever its attempt is cut off', async () => {
    await everywhere(
      (userId) => eventOf({ case: 'userRegistered', value: {} }, { userId }),
      (userId) => fixture.coupons(userId),
      [[], [promotionId]],
    );
  });

  it('gives points once or was never told, wherever its attempt is cut off', async () => {
    const value = { orderId: 'o1', currency: 'CNY', paidMinor: 10_000n };
    await everywhere(
      (userId) => eventOf({ case: 'orderCompleted', value }, { userId }),
      async (userId) => (await fixture.points.balance(userId, soon())).available,
      [0, 100],
    );
  });
});
