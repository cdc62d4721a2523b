/**
 * Jobs, the feed and privacy on the product as it runs: one process that answers, another that archives and runs the jobs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { type Client, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EventService, FeedEventKind } from '../../src/gen/hongbao/v1/event_service_pb.ts';
import { JobRunState, JobService, JobTrigger } from '../../src/gen/hongbao/v1/job_service_pb.ts';
import { PrivacyService } from '../../src/gen/hongbao/v1/privacy_service_pb.ts';
import { type ProductFixture, startProduct } from '../product-fixture.ts';

let product: ProductFixture;
let jobs: Client<typeof JobService>;
let privacy: Client<typeof PrivacyService>;
let events: Client<typeof EventService>;
let streams: Client<typeof EventService>;

beforeAll(async () => {
  product = await startProduct();
  const transport = createConnectTransport({
    baseUrl: `http://127.0.0.1:${product.httpPort}`,
    httpVersion: '1.1',
  });
  jobs = createClient(JobService, transport);
  privacy = createClient(PrivacyService, transport);
  events = createClient(EventService, transport);
  streams = createClient(
    EventService,
    createGrpcTransport({ baseUrl: `http://127.0.0.1:${product.grpcPort}` }),
  );
  await product.promotions.createPromotion({
    promotionId: 'spring',
    requestId: 'create-spring',
    promotion: {
      name: { en: 'spring', zh: 'spring' },
      currency: 'CNY',
      effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 1_000n } } },
      reach: { way: { case: 'claimable', value: {} } },
      stock: { quantity: 100n },
      validity: { kind: { case: 'daysAfterClaim', value: { days: 2 } } },
    },
  });
  await product.promotions.activatePromotion({ promotionId: 'spring', requestId: 'activate-spring' });
}, 120_000);
afterAll(() => product.close(), 60_000);

const claim = (userId: string) =>
  product.coupons.claimCoupon({ promotionId: 'spring', userId, requestId: 'r1' }, { timeoutMs: 10_000 });

/** Waits for what must come; the test's own time-out is the bound. */
async function until<Value>(look: () => Promise<Value | undefined>): Promise<Value> {
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    await sleep(50);
  }
}

// SPEC L8, C5
test('staff see every job, start one, and see what it did', async () => {
  const listed = await until(async () => {
    const { jobs: all } = await jobs.listJobs({});
    return all.length > 0 ? all : undefined;
  });
  expect(listed.map(({ name }) => name)).toEqual([
    'activate-promotions',
    'check-expiry',
    'complete-code-claims',
    'deliver-webhooks',
    'detach-log',
    'erase-users',
    'expire-coupons',
    'expire-points',
    'generate-codes',
    'issue-birthday-coupons',
    'purge-job-runs',
    'purge-webhooks',
    're-encrypt',
    'remind-expiring',
    'retire-ledger',
    'retry-events',
    'run-grants',
    'send-messages',
    'sweep-reservations',
  ]);
  const expiry = listed.find(({ name }) => name === 'expire-coupons');
  expect(expiry).toMatchObject({ cron: '0 1 * * *', timeZone: 'Asia/Shanghai', enabled: true });
  expect(expiry?.nextRunAt).toBeDefined();
  const { run } = await jobs.runJob({ job: 'expire-coupons', requestId: 'run-1' });
  const done = await until(async () => {
    const { runs } = await jobs.listJobRuns({ job: 'expire-coupons' });
    return runs.find(({ runId, state }) => runId === run?.runId && state === JobRunState.DONE);
  });
  expect(done).toMatchObject({ trigger: JobTrigger.BY_HAND, counts: { expired: 0n } });
  await expect(jobs.runJob({ job: 'unknown', requestId: 'run-2' })).rejects.toThrow(/no such job/);
}, 60_000);

/** Reads a stream until it has told of something, and cancels it: to stop reading alone would leave it open. */
async function nextKinds(cursor: string, userId: string, begun: () => Promise<unknown>) {
  const caller = new AbortController();
  const kinds: number[] = [];
  let reached = '';
  try {
    for await (const batch of streams.streamEvents({ cursor, userId }, { signal: caller.signal })) {
      if (reached === '') await begun();
      reached = batch.cursor;
      kinds.push(...batch.events.map(({ kind }) => kind));
      if (kinds.length > 0) caller.abort();
    }
  } catch (error) {
    if (!caller.signal.aborted) throw error;
  }
  return { kinds, cursor: reached };
}

// SPEC L12
test('a stream tells what happens, goes on after its cursor, and no job fails', async () => {
  const first = await nextKinds('', 'streamed', () => claim('streamed'));
  expect(first.kinds).toEqual([FeedEventKind.CLAIMED]);
  const remind = () => jobs.runJob({ job: 'remind-expiring', requestId: 'remind-1' });
  const second = await nextKinds(first.cursor, 'streamed', remind);
  expect(second.kinds).toEqual([FeedEventKind.EXPIRING]);
  await expect(nextKinds('nonsense', 'streamed', async () => {})).rejects.toThrow(/cursor/);
  const { runs } = await jobs.listJobRuns({ pageSize: 200 });
  expect(
    runs.filter(({ state }) => state === JobRunState.FAILED).map(({ job, error }) => [job, error]),
  ).toEqual([]);
}, 60_000);

// SPEC S3
test('a user who registered is found by phone, and gone once erased', async () => {
  await claim('person');
  await events.ingestEvent({
    eventId: 'registered-1',
    occurredAt: timestampNow(),
    userId: 'person',
    event: { case: 'userRegistered', value: { phone: '13812345678', name: '张三' } },
  });
  expect(await privacy.findUserByPhone({ phone: '+8613812345678' })).toMatchObject({ userId: 'person' });
  const known = await privacy.getUserProfile({ userId: 'person' });
  expect(known).toMatchObject({ maskedPhone: '138****5678', maskedName: '张*' });
  await privacy.eraseUser({ userId: 'person', requestId: 'erase-1', reason: 'asked for it' });
  const gone = await privacy.getUserProfile({ userId: 'person' });
  expect([gone.maskedPhone, gone.maskedName, gone.facts]).toEqual(['', '', undefined]);
  expect(gone.erasedAt).toBeDefined();
  await expect(privacy.findUserByPhone({ phone: '13812345678' })).rejects.toThrow(/No user/);
  expect((await product.coupons.listCoupons({ userId: 'person' })).coupons).toEqual([]);
}, 60_000);
