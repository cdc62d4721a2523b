import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { normaliseCode } from '../../src/codes/code-text.ts';
import type { Codes } from '../../src/codes/codes.ts';
import { createCompleteCodeClaimsJob } from '../../src/codes/complete-claims-job.ts';
import { bindCode, takeUnfinishedClaims } from '../../src/codes/store/claimed-codes.ts';
import type { Identity } from '../../src/domain/identity.ts';
import { ClaimCodeRequestSchema } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import {
  CodeFaultKind,
  CodeJobState,
  GenerateCodesRequestSchema,
  ImportCodesRequestSchema,
} from '../../src/gen/hongbao/v1/promotion_code_pb.ts';
import type { Promotion } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { AuditAction } from '../../src/gen/hongbao/v1/promotion_service_pb.ts';
import { NO_ARCHIVE } from '../../src/ledger/archived-coupons.ts';
import { claimCode } from '../../src/transport/handlers/claim-code.ts';
import { generateCodes } from '../../src/transport/handlers/generate-codes.ts';
import { getCodeJob } from '../../src/transport/handlers/get-code-job.ts';
import { importCodes } from '../../src/transport/handlers/import-codes.ts';
import { reasonOf, refusalOf, staffCall, staffOf } from '../definition-fixture.ts';
import { soon } from '../ledger-fixture.ts';
import { runJob, type StaffFixture, startStaffFixture } from '../staff-fixture.ts';

const SINGLE_USE = { code: { singleUseCodes: { prefix: 'SPRING-' } } };
const GATEWAY: Identity = {
  kind: 'service',
  actor: 'gateway',
  scopes: new Set(['coupons:claim', 'facts:assert']),
};

let fixture: StaffFixture;

beforeAll(async () => {
  fixture = await startStaffFixture();
});

afterAll(() => fixture.close());

async function singleUse(changes = {}): Promise<Promotion> {
  return await fixture.promotion({ reach: SINGLE_USE, ...changes });
}

async function startJob(
  promotionId: string,
  count: number,
  requestId: string = randomUUID(),
  length?: number,
) {
  const request = {
    promotionId,
    requestId,
    count,
    reason: 'spring',
    ...(length !== undefined && { length }),
  };
  const message = create(GenerateCodesRequestSchema, request);
  const { job } = await generateCodes(fixture)(message, staffCall());
  return job?.jobId ?? '';
}

async function codesOf(promotionId: string, count: number): Promise<string[]> {
  const jobId = await startJob(promotionId, count);
  await fixture.runGenerate();
  return exportedCodes(await fixture.exported(jobId));
}

async function codeOf(promotionId: string): Promise<string> {
  const [code] = await codesOf(promotionId, 1);
  return code ?? '';
}

function exportedCodes(csv: string): string[] {
  return csv
    .trim()
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(',')[0] ?? '');
}

interface Claim {
  readonly code: string;
  readonly userId: string;
  readonly requestId?: string;
  readonly facts?: { readonly tags: string[] };
  readonly codes?: Codes;
  readonly actor?: string;
}

async function claim({ codes = fixture.codes, actor = 'gateway', ...request }: Claim) {
  const handler = claimCode({
    codes,
    codeClaims: fixture.metrics.codeClaims,
    ledger: fixture.ledger.ledger,
    archived: NO_ARCHIVE,
    book: fixture.book,
  });
  const message = create(ClaimCodeRequestSchema, { requestId: randomUUID(), ...request });
  return await handler(message, staffCall({ identity: { ...GATEWAY, actor } }));
}

async function rowOf(code: string) {
  const hash = fixture.codes.secrets.digest(normaliseCode(code));
  const [row] = await fixture.sql<{ state: string; user_id: string | null; coupon_id: Buffer | null }[]>`
    select state, user_id, coupon_id from promo_code where hash = ${hash}`;
  return row;
}

async function makeDue(code: string): Promise<void> {
  const hash = fixture.codes.secrets.digest(normaliseCode(code));
  await fixture.sql`update promo_code set hold_until = now() - interval '1 second' where hash = ${hash}`;
}

async function complete() {
  const { sql, codes } = fixture;
  return await runJob(createCompleteCodeClaimsJob({ sql, claims: codes.claims, nowMs: () => Date.now() }));
}

// SPEC P8
describe('making codes', () => {
  test('makes as many different ones as asked for, each with prefix and length, and knows none of them by itself', async () => {
    const { promotionId } = await singleUse();
    const jobId = await startJob(promotionId, 12_345, randomUUID(), 10);
    await fixture.runGenerate();
    const { job } = await getCodeJob(fixture)(
      { $typeName: 'hongbao.v1.GetCodeJobRequest', jobId },
      staffCall(),
    );
    expect(job).toMatchObject({ state: CodeJobState.DONE, total: 12_345n, made: 12_345n, createdBy: 'mia' });
    const codes = exportedCodes(await fixture.exported(jobId));
    expect(new Set(codes).size).toBe(12_345);
    expect(codes.every((code) => /^SPRING-[2-9A-HJ-NP-Z]{10}$/.test(code))).toBe(true);
    const [stored] = await fixture.sql<{ text: string }[]>`
      select string_agg(promo_code::text, '') as text from (select * from promo_code limit 100) as promo_code`;
    expect(codes.some((code) => stored?.text.includes(code.slice(7)))).toBe(false);
  });

  test('goes on after a crash where it was, and two processes at once make none too many', async () => {
    const { promotionId } = await singleUse();
    const jobId = await startJob(promotionId, 20_000);
    await Promise.all([fixture.runGenerate(), fixture.runGenerate()]);
    await fixture.runGenerate();
    expect(exportedCodes(await fixture.exported(jobId))).toHaveLength(20_000);
  });

  test('answers a repeated request with the same job, and refuses other content under its id', async () => {
    const { promotionId } = await singleUse();
    const requestId = randomUUID();
    const first = await startJob(promotionId, 3, requestId);
    expect(await startJob(promotionId, 3, requestId)).toBe(first);
    expect(await reasonOf(startJob(promotionId, 4, requestId))).toBe('REQUEST_ID_REUSED');
    const actions = [AuditAction.CODES_GENERATED];
    const { entries = [] } = await staffOf(fixture.definitions).audit({ promotionId, actions });
    expect(entries).toMatchObject([{ requestId, actor: 'mia', reason: 'spring' }]);
  });

  test('is refused for promotions without single-use codes', async () => {
    const { promotionId } = await fixture.promotion({ reach: { claimable: {} } });
    expect(await reasonOf(startJob(promotionId, 3))).toBe('PROMOTION_WITHOUT_CODES');
    expect(await reasonOf(startJob('nobody-knows', 3))).toBe('PROMOTION_NOT_FOUND');
  });

  test('forgets codes after their time: they still work, and can no longer be exported', async () => {
    const { promotionId } = await singleUse();
    const jobId = await startJob(promotionId, 2);
    await fixture.runGenerate();
    const [code = ''] = exportedCodes(await fixture.exported(jobId));
    await fixture.sql`update code_job set exportable_until = now() - interval '1 day' where job_id = ${jobId}`;
    await fixture.runGenerate();
    const [left] = await fixture.sql<{ count: number }[]>`
      select count(cipher)::int as count from promo_code join code_job j on j.number = job where j.job_id = ${jobId}`;
    expect(left?.count).toBe(0);
    expect(await reasonOf(fixture.exported(jobId))).toBe('CODE_BATCH_EXPORTED');
    expect((await claim({ code, userId: 'after-export' })).couponId).toMatch(/^[0-9a-f]{44}$/);
    expect(await reasonOf(fixture.exported('c-unknown'))).toBe('JOB_NOT_FOUND');
  });
});

// SPEC P8
describe('claiming a single-use code', () => {
  test('gives one coupon to one of fifty users who try at once', async () => {
    const { promotionId } = await singleUse();
    const code = await codeOf(promotionId);
    const users = Array.from({ length: 50 }, (_, index) => `racer-${index}`);
    const answers = await Promise.allSettled(users.map((userId) => claim({ code, userId })));
    const won = answers.filter(({ status }) => status === 'fulfilled');
    expect(won).toHaveLength(1);
    const winner = users[answers.findIndex(({ status }) => status === 'fulfilled')];
    expect(await rowOf(code)).toMatchObject({ state: 'used', user_id: winner });
    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ reason: 'CODE_ALREADY_USED' });
    const [stock] = await fixture.ledger.ledger.read(soon(), (reads) =>
      reads.stock([refOf(promotionId)], undefined),
    );
    expect(stock?.issued).toBe(1);
  });

  test('gives one coupon to one user who tries fifty times at once', async () => {
    const { promotionId } = await singleUse({ stock: { unlimitedPerUser: true } });
    const code = await codeOf(promotionId);
    const answers = await Promise.all(Array.from({ length: 50 }, () => claim({ code, userId: 'eager' })));
    expect(new Set(answers.map(({ couponId }) => couponId)).size).toBe(1);
    expect(answers.filter(({ replayed }) => replayed !== true)).toHaveLength(1);
  });

  test('reads it in any case, with blanks around and hyphens inside', async () => {
    const { promotionId } = await singleUse();
    const code = await codeOf(promotionId);
    const typed = ` ${code.toLowerCase().replace(/(.{9})/, '$1-')} `;
    const coupon = await claim({ code: typed, userId: 'sloppy' });
    expect(coupon).toMatchObject({ promotionId, replayed: false });
    const wallet = await fixture.ledger.ledger.read(soon(), (reads) => reads.wallet('sloppy'));
    expect(wallet).toMatchObject([{ couponId: coupon.couponId, state: 'unused', source: 'code' }]);
  });

  test('answers its repetition with the same coupon, and another user or another code under the id with a refusal', async () => {
    const { promotionId } = await singleUse({ stock: { unlimitedPerUser: true } });
    const [code = '', other = ''] = await codesOf(promotionId, 2);
    const first = await claim({ code, userId: 'ann', requestId: 'r1' });
    const again = await claim({ code, userId: 'ann', requestId: 'r1' });
    expect(again).toEqual({ ...first, replayed: true });
    expect(await reasonOf(claim({ code, userId: 'bob' }))).toBe('CODE_ALREADY_USED');
    expect(await reasonOf(claim({ code: other, userId: 'ann', requestId: 'r1' }))).toBe('REQUEST_ID_REUSED');
    expect(await rowOf(other)).toMatchObject({ state: 'free' });
  });

  test('is the same refusal for a code nobody made and for a slip of the finger', async () => {
    const { promotionId } = await singleUse();
    const code = await codeOf(promotionId);
    const slip = code.slice(0, -1) + (code.endsWith('A') ? 'B' : 'A');
    const refusals = await Promise.all(
      [slip, 'SPRING-ABCDEFGHJKLMNP', '!?'].map((typed) =>
        refusalOf(claim({ code: typed, userId: 'guesser' })),
      ),
    );
    for (const refusal of refusals)
      expect(refusal).toMatchObject({ reason: 'CODE_NOT_FOUND', message: refusals[0]?.message, detail: {} });
  });

  test('frees the code again when the coupon is refused', async () => {
    const { promotionId } = await singleUse();
    const [code = '', other = ''] = await codesOf(promotionId, 2);
    await claim({ code, userId: 'limited' });
    expect(await reasonOf(claim({ code: other, userId: 'limited' }))).toBe('USER_LIMIT_REACHED');
    expect(await rowOf(other)).toMatchObject({ state: 'free', user_id: null });
    expect(await claim({ code: other, userId: 'somebody' })).toMatchObject({ replayed: false });
  });

  test('refuses in the order of a claim: not started, ended, not targeted, sold out', async () => {
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
    const target = { taggedUsers: { anyOfTags: ['vip'] } };
    const early = await codeOf((await singleUse({ stock: { claimStartsAt: tomorrow }, target })).promotionId);
    expect(await reasonOf(claim({ code: early, userId: 'u' }))).toBe('PROMOTION_NOT_STARTED');
    const vip = await singleUse({ target, stock: { quantity: '1', unlimitedPerUser: true } });
    const [first = '', second = ''] = await codesOf(vip.promotionId, 2);
    expect(await reasonOf(claim({ code: first, userId: 'u', facts: { tags: ['new'] } }))).toBe(
      'USER_NOT_TARGETED',
    );
    await claim({ code: first, userId: 'u', facts: { tags: ['vip'] } });
    expect(await reasonOf(claim({ code: second, userId: 'u', facts: { tags: ['vip'] } }))).toBe('SOLD_OUT');
  });
});

// SPEC P8, SPEC L5
describe('a claim that was cut off', () => {
  test('between binding and coupon is completed by the job', async () => {
    const { promotionId } = await singleUse();
    const code = await codeOf(promotionId);
    const hash = fixture.codes.secrets.digest(normaliseCode(code));
    await bindCode(fixture.sql, hash, { userId: 'cut', requestId: 'cut-1' }, soon());
    expect(await reasonOf(claim({ code, userId: 'other' }))).toBe('CODE_ALREADY_USED');
    expect(await takeUnfinishedClaims(fixture.sql, 10, soon())).toEqual([]);
    await makeDue(code);
    expect(await complete()).toMatchObject({ issued: 1, freed: 0 });
    expect(await rowOf(code)).toMatchObject({ state: 'used', user_id: 'cut' });
    const coupon = await claim({ code, userId: 'cut', requestId: 'cut-1' });
    expect(coupon.replayed).toBe(true);
    expect((await rowOf(code))?.coupon_id?.toString('hex')).toBe(coupon.couponId);
  });

  test('after the coupon is written down as used, and gives no second coupon', async () => {
    const { promotionId } = await singleUse();
    const code = await codeOf(promotionId);
    const coupon = await claim({ code, userId: 'late', requestId: 'late-1' });
    const hash = fixture.codes.secrets.digest(normaliseCode(code));
    await fixture.sql`update promo_code set state = 'held', coupon_id = null where hash = ${hash}`;
    await makeDue(code);
    expect(await complete()).toMatchObject({ issued: 1 });
    expect((await rowOf(code))?.coupon_id?.toString('hex')).toBe(coupon.couponId);
    const wallet = await fixture.ledger.ledger.read(soon(), (reads) => reads.wallet('late'));
    expect(wallet).toHaveLength(1);
  });

  test('is freed by the job when the coupon is refused', async () => {
    const { promotionId } = await singleUse();
    const [code = '', other = ''] = await codesOf(promotionId, 2);
    await claim({ code, userId: 'full' });
    const hash = fixture.codes.secrets.digest(normaliseCode(other));
    await bindCode(fixture.sql, hash, { userId: 'full', requestId: 'full-2' }, soon());
    await makeDue(other);
    expect(await complete()).toMatchObject({ issued: 0, freed: 1 });
    expect(await rowOf(other)).toMatchObject({ state: 'free' });
  });

  test('is gone on with by the same user at once', async () => {
    const { promotionId } = await singleUse();
    const code = await codeOf(promotionId);
    const hash = fixture.codes.secrets.digest(normaliseCode(code));
    await bindCode(fixture.sql, hash, { userId: 'back', requestId: 'back-1' }, soon());
    expect(await claim({ code, userId: 'back', requestId: 'back-2' })).toMatchObject({ replayed: false });
    expect(await rowOf(code)).toMatchObject({ state: 'used', user_id: 'back' });
  });
});

// SPEC P8
describe('a public code', () => {
  test('is a claim like any other, in any letter case', async () => {
    const reach = { code: { publicCode: { code: 'Welcome-10' } } };
    const { promotionId } = await fixture.promotion({ reach, stock: { quantity: '2' } });
    const first = await claim({ code: ' WELCOME-10 ', userId: 'p1', requestId: 'p' });
    expect(first).toMatchObject({ promotionId, replayed: false });
    expect(await claim({ code: 'welcome-10', userId: 'p1', requestId: 'p' })).toEqual({
      ...first,
      replayed: true,
    });
    expect(await reasonOf(claim({ code: 'welcome-10', userId: 'p1' }))).toBe('USER_LIMIT_REACHED');
    await claim({ code: 'welcome-10', userId: 'p2' });
    expect(await reasonOf(claim({ code: 'welcome-10', userId: 'p3' }))).toBe('SOLD_OUT');
  });
});

// SPEC P8
describe('guessing', () => {
  const wrong = 'SPRING-ABCDEFGHJKLMNP';

  test('locks a user out after some wrong codes, with the time to wait, also for right ones', async () => {
    const { promotionId } = await singleUse();
    const code = await codeOf(promotionId);
    const codes = fixture.codesWith({ userWrongCodes: 3 });
    for (let attempt = 0; attempt < 3; attempt += 1)
      expect(await reasonOf(claim({ code: wrong, userId: 'mallory', codes }))).toBe('CODE_NOT_FOUND');
    const refusal = await refusalOf(claim({ code, userId: 'mallory', codes }));
    expect(refusal.reason).toBe('TOO_MANY_CODE_ATTEMPTS');
    expect(refusal.detail.retryAfterMs).toBeGreaterThan(50_000);
    expect(refusal.detail.retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(await claim({ code, userId: 'innocent', codes })).toMatchObject({ replayed: false });
  });

  test('locks a caller out who guesses for many users, and lets nobody try too often', async () => {
    const codes = fixture.codesWith({ callerWrongCodes: 2 });
    const guess = (userId: string) => reasonOf(claim({ code: wrong, userId, codes, actor: 'robot' }));
    expect([await guess('g1'), await guess('g2'), await guess('g3')]).toEqual([
      'CODE_NOT_FOUND',
      'CODE_NOT_FOUND',
      'TOO_MANY_CODE_ATTEMPTS',
    ]);
    const slow = fixture.codesWith({ userAttemptsPerMinute: 1 });
    expect(await reasonOf(claim({ code: wrong, userId: 'hasty', codes: slow }))).toBe('CODE_NOT_FOUND');
    expect(await reasonOf(claim({ code: wrong, userId: 'hasty', codes: slow }))).toBe(
      'TOO_MANY_CODE_ATTEMPTS',
    );
  });
});

// SPEC P8
describe('importing codes', () => {
  async function bring(promotionId: string, csv: string, requestId: string = randomUUID()) {
    const message = create(ImportCodesRequestSchema, { promotionId, requestId, csv: Buffer.from(csv) });
    return await importCodes({ sql: fixture.sql, ...fixture.codes })(message, staffCall());
  }

  test('takes what is new, tells what is wrong line by line, and a repetition answers the same', async () => {
    const { promotionId } = await singleUse();
    const other = await singleUse();
    await bring(other.promotionId, 'code\nTAKEN-CODE\n');
    const csv = 'note,code\nx,first-code\n"y","SECOND-CODE"\n,short\nz,First-Code\n,TAKEN-CODE\n,bad code!\n';
    const first = await bring(promotionId, csv, 'import-1');
    expect(first).toMatchObject({ imported: 2n, faulty: 4n, replayed: false });
    expect(first.faults).toEqual([
      { line: 4, kind: CodeFaultKind.MALFORMED },
      { line: 5, kind: CodeFaultKind.REPEATED },
      { line: 6, kind: CodeFaultKind.TAKEN },
      { line: 7, kind: CodeFaultKind.MALFORMED },
    ]);
    expect(await bring(promotionId, csv, 'import-1')).toEqual({ ...first, replayed: true });
    expect(await reasonOf(bring(promotionId, 'code\nANOTHER-ONE\n', 'import-1'))).toBe('REQUEST_ID_REUSED');
    expect(await bring(promotionId, 'first-code\n')).toMatchObject({
      imported: 0n,
      faults: [{ line: 1, kind: CodeFaultKind.ALREADY_KNOWN }],
    });
    const codes = fixture.codesWith({});
    expect(await claim({ code: 'firstcode', userId: 'importer', codes })).toMatchObject({ promotionId });
  });

  test('brings back what an export gave, once the codes are unknown here', async () => {
    const { promotionId } = await singleUse();
    const jobId = await startJob(promotionId, 50);
    await fixture.runGenerate();
    const csv = await fixture.exported(jobId);
    expect(await bring(promotionId, csv)).toMatchObject({ imported: 0n, faulty: 50n });
    await fixture.sql`delete from promo_code where job = (select number from code_job where job_id = ${jobId})`;
    expect(await bring(promotionId, csv)).toMatchObject({ imported: 50n, faulty: 0n });
    const [code = ''] = exportedCodes(csv);
    expect(await claim({ code, userId: 'restored' })).toMatchObject({ promotionId });
  });

  test('refuses what is no CSV', async () => {
    const { promotionId } = await singleUse();
    expect(await reasonOf(bring(promotionId, '"open'))).toBe('INVALID_REQUEST');
  });
});

// SPEC P8, SPEC L3
describe('a code typed for an order', () => {
  test('is held with all others of the order or not at all, used on commit and free on release', async () => {
    const { promotionId, ref } = await singleUse();
    const [one = '', two = ''] = (await codesOf(promotionId, 2)).map((code) => code.toLowerCase());
    const { book } = fixture.codes;
    const wanted = [one, two].map((code) => ({ code, promotionRef: ref }));
    const until = Date.now() - 1;
    await book.hold(wanted.slice(1), 'buyer', 'order-1', soon(), until);
    const hold = (orderId: string) => reasonOf(book.hold(wanted, 'buyer', orderId, soon(), until));
    expect(await hold('order-2')).toBe('CODE_ALREADY_USED');
    expect((await book.lookUp([one, two, 'SPRING-NOBODY'], soon())).get(one)).toEqual({
      promotionRef: ref,
      state: 'free',
    });
    await book.hold(wanted, 'buyer', 'order-1', soon(), until);
    expect(await book.unsettled(Date.now(), 10, soon())).toEqual([{ userId: 'buyer', orderId: 'order-1' }]);
    await book.confirm('buyer', 'order-1', soon());
    const used = { promotionRef: ref, state: 'used', userId: 'buyer', orderId: 'order-1' };
    expect([...(await book.lookUp([one, two], soon())).values()]).toEqual([used, used]);
    await book.free('buyer', 'order-1', soon());
    expect(await rowOf(one)).toMatchObject({ state: 'free', user_id: null });
    const unknown = [{ code: 'spring-abcdefghjk', promotionRef: ref }];
    expect(await reasonOf(book.hold(unknown, 'buyer', 'order-3', soon(), until))).toBe('CODE_NOT_FOUND');
  });
});

function refOf(promotionId: string): number {
  return fixture.book.byId(promotionId)?.ref ?? 0;
}
