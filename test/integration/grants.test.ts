import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runAudit } from '../../src/archive/audit.ts';
import { archiveProgress } from '../../src/definitions/store/archive-progress.ts';
import { encodeCouponValue, parseCouponId } from '../../src/domain/coupon.ts';
import { NO_FACTS } from '../../src/domain/user-facts.ts';
import { copyUserFacts } from '../../src/events/user-facts-table.ts';
import { Feed } from '../../src/feed/feed.ts';
import { createMessageJob } from '../../src/feed/send-messages.ts';
import {
  CancelGrantJobRequestSchema,
  GetGrantJobRequestSchema,
  GrantCouponsRequestSchema,
  GrantJobKind,
  GrantJobState,
  ListGrantJobsRequestSchema,
  RevokeCouponsRequestSchema,
} from '../../src/gen/hongbao/v1/grant_pb.ts';
import type { Promotion } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { RefusalReason } from '../../src/gen/hongbao/v1/refusal_pb.ts';
import { readGrantJob } from '../../src/grants/store/grant-jobs.ts';
import { workBatch } from '../../src/grants/work-recipients.ts';
import { accountOf, promotionOf, walletOf } from '../../src/ledger/transaction.ts';
import { cancelGrantJob } from '../../src/transport/handlers/cancel-grant-job.ts';
import { getGrantJob } from '../../src/transport/handlers/get-grant-job.ts';
import { grantCoupons } from '../../src/transport/handlers/grant-coupons.ts';
import { listGrantJobs } from '../../src/transport/handlers/list-grant-jobs.ts';
import { revokeCoupons } from '../../src/transport/handlers/revoke-coupons.ts';
import { reasonOf, staffCall, staffOf } from '../definition-fixture.ts';
import { soon } from '../ledger-fixture.ts';
import { runJob, type StaffFixture, startStaffFixture } from '../staff-fixture.ts';

const STAFF = { granted: { staff: {} } };

let fixture: StaffFixture;

beforeAll(async () => {
  fixture = await startStaffFixture();
  fixture.startArchive();
});

afterAll(() => fixture.close());

async function grantable(changes = {}): Promise<Promotion> {
  return await fixture.promotion({ reach: STAFF, ...changes });
}

async function grant(request: MessageInitShape<typeof GrantCouponsRequestSchema>) {
  const message = create(GrantCouponsRequestSchema, { requestId: randomUUID(), reason: 'sorry', ...request });
  const { job } = await grantCoupons(fixture.ports)(message, staffCall());
  return job ?? {};
}

async function grantToUser(promotionId: string, userId: string, requestId: string = randomUUID()) {
  return await grant({ promotionId, requestId, recipients: { case: 'userId', value: userId } });
}

async function grantToList(promotionId: string, userIds: string[]) {
  return await grant({ promotionId, recipients: { case: 'userList', value: { userIds } } });
}

async function jobOf(jobId = '', pageSize = 1_000, pageToken = '') {
  const message = create(GetGrantJobRequestSchema, { jobId, pageSize, pageToken });
  const { job = {}, results = [], nextPageToken = '' } = await getGrantJob(fixture)(message, staffCall());
  return { job, results, nextPageToken };
}

async function couponFor(promotionId: string, userId: string): Promise<string> {
  const { results } = await jobOf((await grantToUser(promotionId, userId)).jobId);
  return results[0]?.couponId ?? '';
}

async function revoke(request: MessageInitShape<typeof RevokeCouponsRequestSchema>) {
  const message = create(RevokeCouponsRequestSchema, {
    requestId: randomUUID(),
    reason: 'mistake',
    ...request,
  });
  return await revokeCoupons(fixture.ports)(message, staffCall());
}

async function revokeList(coupons: { userId: string; couponId: string }[], more = {}) {
  return await revoke({ coupons: { case: 'list', value: { coupons } }, ...more });
}

async function walletOfUser(userId: string) {
  return await fixture.ledger.ledger.read(soon(), (reads) => reads.wallet(userId));
}

/** A promotion's figures, in all partitions together. */
async function recordOf(ref: number) {
  const { ledger, admins } = fixture.ledger;
  const records = await Promise.all(
    admins.map((_, partition) => ledger.recordsAt(partition, [promotionOf(ref)], soon())),
  );
  const held = (name: string) => records.flatMap(([record]) => record?.get(name)?.toString() ?? []);
  return (name: string) => {
    const values = held(name);
    return values.length === 0 ? undefined : String(values.reduce((sum, value) => sum + Number(value), 0));
  };
}

async function settled(jobId = '') {
  for (;;) {
    await fixture.runGrants();
    const { job } = await jobOf(jobId, 1);
    if (job.state === GrantJobState.DONE) return job;
    await sleep(50);
  }
}

/** A job that sends messages to a list of the users they are for; it begins with what happens from now on. */
async function messages() {
  const told: string[] = [];
  const { sql } = fixture.ports;
  const job = createMessageJob({
    sql,
    feed: new Feed(sql, fixture.places),
    adapter: {
      name: randomUUID(),
      async send({ kind, userId }) {
        told.push(`${kind} ${userId}`);
      },
    },
    nowMs: Date.now,
  });
  await runJob(job);
  return { told, send: () => runJob(job) };
}

// SPEC L7
describe('messages about granted coupons', () => {
  test('are sent where staff asked for them, and only there', async () => {
    const { promotionId } = await grantable({ stock: { perUserLimit: 5 } });
    const { told, send } = await messages();
    const recipients = { case: 'userList' as const, value: { userIds: ['told', 'both'] } };
    await settled((await grant({ promotionId, recipients, notify: true })).jobId);
    await settled((await grantToList(promotionId, ['silent', 'both'])).jobId);
    await grantToUser(promotionId, 'alone');
    await grant({ promotionId, recipients: { case: 'userId', value: 'one-told' }, notify: true });
    const wanted = ['issued both', 'issued one-told', 'issued told'];
    // Users of several partitions are told in any order.
    while ((await send())['sent'] !== undefined && !wanted.every((one) => told.includes(one)))
      await sleep(20);
    // What other tests did before may reach the feed only now.
    const ours = told.filter((one) => /(told|both|silent|alone)$/.test(one));
    expect(ours.toSorted()).toEqual(wanted);
  });
});

// SPEC L7
describe('a grant to one user', () => {
  test('is done when it is answered, and its repetition is the same one', async () => {
    const { promotionId } = await grantable();
    const job = await grantToUser(promotionId, 'one', 'grant-one');
    expect(job).toMatchObject({
      promotionId,
      kind: GrantJobKind.GRANT,
      state: GrantJobState.DONE,
      total: 1n,
      granted: 1n,
      refused: 0n,
      reason: 'sorry',
      createdBy: 'mia',
    });
    expect(await grantToUser(promotionId, 'one', 'grant-one')).toEqual(job);
    const [coupon] = await walletOfUser('one');
    expect(coupon).toMatchObject({ state: 'unused', source: 'staff' });
    expect((await jobOf(job.jobId)).results).toEqual([
      { userId: 'one', couponId: coupon?.couponId, refusalReason: RefusalReason.UNSPECIFIED },
    ]);
    expect(await reasonOf(grantToUser(promotionId, 'two', 'grant-one'))).toBe('REQUEST_ID_REUSED');
  });

  test('tells what refused it', async () => {
    const { promotionId } = await grantable({ stock: { quantity: '1' } });
    await grantToUser(promotionId, 'first');
    const again = await jobOf((await grantToUser(promotionId, 'first')).jobId);
    expect(again.job).toMatchObject({ state: GrantJobState.DONE, granted: 0n, refused: 1n });
    expect(again.results).toMatchObject([{ couponId: '', refusalReason: RefusalReason.USER_LIMIT_REACHED }]);
    const late = await jobOf((await grantToUser(promotionId, 'second')).jobId);
    expect(late.results).toMatchObject([{ refusalReason: RefusalReason.SOLD_OUT }]);
  });

  test('is refused for promotions with another way in', async () => {
    const claimable = await fixture.promotion({ reach: { claimable: {} } });
    const birthday = await fixture.promotion({ reach: { granted: { birthday: {} } } });
    for (const { promotionId } of [claimable, birthday])
      expect(await reasonOf(grantToUser(promotionId, 'one'))).toBe('PROMOTION_NOT_GRANTABLE');
    expect(await reasonOf(grantToUser('nobody-knows', 'one'))).toBe('PROMOTION_NOT_FOUND');
    expect(await reasonOf(jobOf('g-unknown'))).toBe('JOB_NOT_FOUND');
  });
});

// SPEC L7
describe('a grant to many', () => {
  test('gives 2,000 users of a list one coupon each, with a result for each, whoever works on it', async () => {
    const { promotionId, ref } = await grantable();
    const userIds = Array.from({ length: 2_000 }, (_, index) => `list-${index}`);
    const { jobId } = await grantToList(promotionId, userIds);
    await Promise.all([fixture.runGrants(), fixture.runGrants()]);
    expect(await settled(jobId)).toMatchObject({ total: 2_000n, granted: 2_000n, refused: 0n });
    expect((await recordOf(ref))('issued')).toBe('2000');
    const first = await jobOf(jobId, 1_000);
    const second = await jobOf(jobId, 1_000, first.nextPageToken);
    expect([...first.results, ...second.results].map(({ userId }) => userId)).toEqual(userIds);
    expect(second.nextPageToken).toBe('');
  });

  test('goes on where a dead process has left it, and gives nobody a second coupon', async () => {
    const { promotionId, ref } = await grantable({ stock: { unlimitedPerUser: true } });
    const { jobId = '' } = await grantToList(promotionId, ['d1', 'd2', 'd3', 'd4']);
    const job = await readGrantJob(fixture.sql, jobId, soon());
    if (job === undefined) throw new Error('no job');
    await workBatch(fixture.ports, job, 2, undefined);
    // What a crash between the ledger and Postgres leaves: coupons that nobody has written down.
    await fixture.sql`
      update grant_recipient set state = 'pending', coupon_id = null, leased_until = now() - interval '1 second'
      where job = ${job.number}`;
    await fixture.sql`update grant_job set granted = 0 where number = ${job.number}`;
    expect(await settled(jobId)).toMatchObject({ granted: 4n });
    expect((await recordOf(ref))('issued')).toBe('4');
  });

  test('finds the users of a segment when it begins, and takes no later ones', async () => {
    const { promotionId } = await grantable();
    const facts = { ...NO_FACTS, revision: 1 };
    const users: [string, Partial<typeof facts>][] = [
      ['seg-1', { tags: ['vip'], level: 'gold', ordersCompleted: 3, registeredAtMs: 1_000_000 }],
      ['seg-2', { tags: ['vip'], level: 'silver', ordersCompleted: 3, registeredAtMs: 1_000_000 }],
      ['seg-3', { tags: ['new'], level: 'gold', ordersCompleted: 3, registeredAtMs: 1_000_000 }],
      ['seg-4', { tags: ['vip'], level: 'gold', ordersCompleted: 9, registeredAtMs: 1_000_000 }],
      ['seg-5', { tags: ['vip'], level: 'gold', registeredAtMs: 1_000_000 }],
      ['seg-6', { tags: ['vip'], level: 'gold', ordersCompleted: 1, registeredAtMs: 9_000_000 }],
    ];
    for (const [userId, known] of users)
      await copyUserFacts(fixture.sql, userId, { ...facts, ...known }, soon());
    const segment = {
      anyOfTags: ['vip'],
      anyOfLevels: ['gold'],
      minOrdersCompleted: 1,
      maxOrdersCompleted: 5,
      registeredUntil: timestampFromMs(5_000_000),
    };
    const { jobId } = await grant({ promotionId, recipients: { case: 'segment', value: segment } });
    expect((await jobOf(jobId)).job).toMatchObject({ total: 0n, state: GrantJobState.PENDING });
    expect(await settled(jobId)).toMatchObject({ total: 1n, granted: 1n });
    const late = { ...facts, tags: ['vip'], level: 'gold', ordersCompleted: 2, registeredAtMs: 1_000_000 };
    await copyUserFacts(fixture.sql, 'seg-7', late, soon());
    await fixture.runGrants();
    expect((await jobOf(jobId)).results.map(({ userId }) => userId)).toEqual(['seg-1']);
  });

  test('begins at its time, can be stopped before, and a stopped one gives nothing more', async () => {
    const { promotionId, ref } = await grantable();
    const startAt = timestampFromMs(Date.now() + 3_600_000);
    const value = { userIds: ['later-1', 'later-2'] };
    const { jobId = '' } = await grant({ promotionId, recipients: { case: 'userList', value }, startAt });
    await fixture.runGrants();
    expect((await jobOf(jobId)).job.state).toBe(GrantJobState.PENDING);
    const cancel = async (requestId: string, reason: string) => {
      const message = create(CancelGrantJobRequestSchema, { jobId, requestId, reason });
      return (await cancelGrantJob(fixture)(message, staffCall())).job;
    };
    const stopped = await cancel('stop-1', 'wrong list');
    expect(stopped).toMatchObject({ state: GrantJobState.CANCELLED, granted: 0n });
    expect(await cancel('stop-1', 'wrong list')).toEqual(stopped);
    expect(await reasonOf(cancel('stop-1', 'another reason'))).toBe('REQUEST_ID_REUSED');
    await fixture.sql`update grant_job set start_at = now() where job_id = ${jobId}`;
    await fixture.runGrants();
    expect((await recordOf(ref))('issued')).toBe('0');
    const listed = await listGrantJobs(fixture)(
      create(ListGrantJobsRequestSchema, { promotionId, states: [GrantJobState.CANCELLED] }),
      staffCall(),
    );
    expect(listed.jobs).toMatchObject([{ jobId }]);
  });

  test('lists jobs newest first, page by page', async () => {
    const { promotionId } = await grantable({ stock: { unlimitedPerUser: true } });
    const made: string[] = [];
    for (const userId of ['p1', 'p2', 'p3'])
      made.unshift((await grantToUser(promotionId, userId)).jobId ?? '');
    const page = async (pageToken: string) =>
      await listGrantJobs(fixture)(
        create(ListGrantJobsRequestSchema, { promotionId, pageSize: 2, pageToken }),
        staffCall(),
      );
    const first = await page('');
    const second = await page(first.nextPageToken ?? '');
    expect([...(first.jobs ?? []), ...(second.jobs ?? [])].map(({ jobId }) => jobId)).toEqual(made);
    expect(second.nextPageToken).toBe('');
  });
});

// SPEC L7, SPEC L2
describe('revoking', () => {
  test('takes unused coupons back with the reason, answers repetitions the same, and tells what it cannot', async () => {
    const { promotionId, ref } = await grantable({ stock: { quantity: '10', unlimitedPerUser: true } });
    const free = { userId: 'rv', couponId: await couponFor(promotionId, 'rv') };
    const held = { userId: 'rv-held', couponId: await couponFor(promotionId, 'rv-held') };
    await plantState(held, 'reserved');
    const used = { userId: 'rv-used', couponId: await couponFor(promotionId, 'rv-used') };
    await plantState(used, 'used');
    const foreign = { userId: 'stranger', couponId: free.couponId };
    const request = { requestId: 'revoke-1' };
    const answer = await revokeList([free, held, used, foreign], request);
    expect(answer.results).toEqual([
      { ...free, refusalReason: RefusalReason.UNSPECIFIED },
      { ...held, refusalReason: RefusalReason.COUPON_NOT_AVAILABLE },
      { ...used, refusalReason: RefusalReason.COUPON_NOT_AVAILABLE },
      { ...foreign, refusalReason: RefusalReason.COUPON_NOT_FOUND },
    ]);
    expect(await revokeList([free, held, used, foreign], request)).toEqual(answer);
    expect(await reasonOf(revokeList([free], request))).toBe('REQUEST_ID_REUSED');
    expect((await revokeList([free])).results).toMatchObject([{ refusalReason: RefusalReason.UNSPECIFIED }]);
    expect(await walletOfUser('rv')).toMatchObject([{ state: 'revoked' }]);
    const names = [accountOf('rv'), walletOf('rv')];
    const [account, wallet] = await fixture.ledger.ledger.read(soon(), (reads) => reads.records(names));
    const field = Buffer.from(`7e${parseCouponId(free.couponId)?.fieldHex}`, 'hex').toString('latin1');
    expect(account?.get(field)?.toString()).toBe('mistake');
    expect(wallet?.get('@')?.readUInt16BE(6)).toBe(0);
    expect((await recordOf(ref))('issued')).toBe('3');
  });

  test('takes one coupon back once when 64 ask for it at the same time, and its stock with it once', async () => {
    const { promotionId, ref } = await grantable({ stock: { quantity: '1' } });
    const coupon = { userId: 'stock-1', couponId: await couponFor(promotionId, 'stock-1') };
    const answers = await Promise.all(
      Array.from({ length: 64 }, () => revokeList([coupon], { returnStock: true })),
    );
    for (const { results } of answers)
      expect(results).toMatchObject([{ refusalReason: RefusalReason.UNSPECIFIED }]);
    const record = await recordOf(ref);
    expect([record('issued'), record('returned')]).toEqual(['0', '1']);
    expect((await grantToUser(promotionId, 'stock-1')).refused).toBe(1n);
    expect((await grantToUser(promotionId, 'stock-2')).granted).toBe(1n);
    expect((await grantToUser(promotionId, 'stock-3')).refused).toBe(1n);
  });
});

// SPEC L7, SPEC P5
describe('revoking a whole promotion', () => {
  // On stores of its own, because states that other tests plant are no product of any event.
  let shared: StaffFixture;

  beforeAll(async () => {
    shared = fixture;
    fixture = await startStaffFixture();
    fixture.startArchive();
  });

  afterAll(async () => {
    await fixture.close();
    fixture = shared;
  });

  test('takes all unused coupons back by a job, stock too, and the audit finds nothing wrong', async () => {
    const { promotionId, ref } = await grantable({ stock: { quantity: '30' } });
    const userIds = Array.from({ length: 30 }, (_, index) => `all-${index}`);
    await settled((await grantToList(promotionId, userIds)).jobId);
    const coupons = { case: 'promotionId' as const, value: promotionId };
    const { job, results = [] } = await revoke({ coupons, returnStock: true });
    expect(results).toEqual([]);
    expect(await settled(job?.jobId)).toMatchObject({ kind: GrantJobKind.REVOKE, total: 30n, granted: 30n });
    expect(await walletOfUser('all-7')).toMatchObject([{ state: 'revoked' }]);
    const record = await recordOf(ref);
    // Where several partitions share the stock it is back in the pool.
    const received = fixture.places.partitions === 1 ? '30' : '0';
    expect([record('issued'), record('returned'), record('received')]).toEqual(['0', '30', received]);
    expect((await grantToUser(promotionId, 'another')).granted).toBe(1n);
    expect(await breaches()).toEqual([]);
  });

  test('keeps a promotion that ever issued a coupon from being deleted', async () => {
    const { promotionId } = await grantable({ stock: { quantity: '1' } });
    const coupon = { userId: 'gone', couponId: await couponFor(promotionId, 'gone') };
    await revokeList([coupon], { returnStock: true });
    const staff = staffOf(fixture.definitions);
    await staff.deactivate({ promotionId });
    expect(await reasonOf(staff.remove({ promotionId }))).toBe('PROMOTION_ALREADY_ISSUED');
  });
});

async function breaches(): Promise<unknown[]> {
  const { sql, ledger, places } = fixture;
  const found: unknown[] = [];
  for (const [partition, admin] of ledger.admins.entries()) {
    const last = (await admin.lastSeq()) ?? -1;
    const archived = async () => (await archiveProgress(sql).readCursors(soon()))[partition] ?? -1;
    while ((await archived()) < last) await sleep(20);
    const { checks } = await runAudit({
      sql,
      ledger: admin,
      id: { generation: places.generation, partition },
    });
    found.push(...checks.flatMap((check) => check.breaches));
  }
  return found;
}

/** Plants a state that another part of the product would have written, by a transaction, so that the archive has it too. */
async function plantState(
  { userId, couponId }: { userId: string; couponId: string },
  state: 'reserved' | 'used',
): Promise<void> {
  const [coupon] = await walletOfUser(userId);
  if (coupon === undefined) throw new Error('no coupon');
  const field = Buffer.from(parseCouponId(couponId)?.fieldHex ?? '', 'hex');
  const value = Buffer.from(encodeCouponValue({ ...coupon, state }));
  const steps = [{ kind: 'set' as const, on: walletOf(userId), field, value }];
  await fixture.ledger.ledger.transact({ event: 'reserved', opensNew: true, steps }, soon());
}
