import { createClient } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ScriptedTransport } from '../../test/client/scripted-transport.ts';
import { REASONS, Refusal, type RefusalDetail, type RefusalReason, retryAfterMs } from '../domain/refusal.ts';
import { CouponService } from '../gen/hongbao/v1/coupon_service_pb.ts';
import { wireRefusalOf } from '../transport/wire-refusal.ts';
import { HongbaoError } from './hongbao-error.ts';
import { MAX_ATTEMPTS, RETRY_BUDGET, SUCCESSES_PER_RETRY } from './limits.ts';
import { RetryBudget } from './retry-budget.ts';
import { TokenKeeper } from './token-keeper.ts';

const refused = (reason: RefusalReason, detail: RefusalDetail = {}): Error =>
  wireRefusalOf(new Refusal(reason, 'as told', detail), 'en').connectError;
const couponsOf = ({ steady }: ScriptedTransport) => createClient(CouponService, steady);
const CLAIM = { promotionId: 'p', userId: 'u' };
const ALL_REASONS = Object.keys(REASONS).filter((name): name is RefusalReason =>
  Object.hasOwn(REASONS, name),
);

async function errorOf(call: Promise<unknown>): Promise<HongbaoError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof HongbaoError ? error : expect.fail(`thrown: ${error}`);
}

// SPEC C8: the client package.
describe('asking again', () => {
  test('carries the same request id, after the wait the service asks for and some of its own', async () => {
    const service = new ScriptedTransport([
      refused('LEDGER_CLOSED'),
      refused('LEDGER_CLOSED'),
      { couponId: 'c' },
    ]);
    expect(await couponsOf(service).claimCoupon(CLAIM)).toMatchObject({ couponId: 'c' });
    expect(service.attempts.map(({ request }) => request)).toEqual(
      Array(3).fill(expect.objectContaining({ requestId: 'id-1' })),
    );
    // 200 ms are asked for; half of 50 and half of 100 are added.
    expect(service.attempts.map(({ atMs }) => atMs)).toEqual([0, 225, 475]);
  });

  test.each(ALL_REASONS)(
    '%s: only what is unknown, or was never begun, is asked again by itself',
    async (reason) => {
      const service = new ScriptedTransport([refused(reason), {}]);
      const error = await couponsOf(service)
        .claimCoupon(CLAIM)
        .catch((thrown: unknown) => thrown);
      const isRepeated = ['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(REASONS[reason].code);
      expect(service.attempts).toHaveLength(isRepeated ? 2 : 1);
      if (!isRepeated) expect(error).toMatchObject({ reason, outcome: REASONS[reason].outcome });
    },
  );

  test('ends after some attempts, and says with which id to ask', async () => {
    const service = new ScriptedTransport([refused('LEDGER_OVERLOADED')]);
    const error = await errorOf(couponsOf(service).claimCoupon({ ...CLAIM, requestId: 'mine' }));
    expect(error).toMatchObject({
      method: 'CouponService.ClaimCoupon',
      reason: 'LEDGER_OVERLOADED',
      outcome: 'unknown',
      isRetryable: true,
      requestId: 'mine',
      attempts: MAX_ATTEMPTS,
    });
  });

  test('does not begin a wait that lasts longer than the call may', async () => {
    const service = new ScriptedTransport([refused('ARCHIVE_BACKLOG'), {}]);
    const error = await errorOf(couponsOf(service).claimCoupon(CLAIM, { timeoutMs: 900 }));
    expect(error).toMatchObject({ reason: 'ARCHIVE_BACKLOG', retryAfterMs: 1_000, attempts: 1 });
  });

  test('gives each attempt its own time, and the last one what is left', async () => {
    const service = new ScriptedTransport([
      refused('LEDGER_OUT_OF_MEMORY'),
      refused('LEDGER_OUT_OF_MEMORY'),
      {},
    ]);
    await couponsOf(service).claimCoupon(CLAIM, { timeoutMs: 3_000 });
    expect(service.attempts.map(({ timeoutMs }) => timeoutMs)).toEqual([1_000, 1_000, 925]);
  });

  test('stops when everything fails', async () => {
    const service = new ScriptedTransport([refused('SHUTTING_DOWN')]);
    const coupons = couponsOf(service);
    for (let call = 0; call < RETRY_BUDGET; call += 1) await errorOf(coupons.claimCoupon(CLAIM));
    expect(service.attempts).toHaveLength(2 * RETRY_BUDGET);
  });

  test('is earned by calls that succeed', () => {
    const budget = new RetryBudget();
    while (budget.spend());
    for (let call = 1; call < SUCCESSES_PER_RETRY; call += 1) budget.earn();
    expect(budget.spend()).toBe(false);
    budget.earn();
    expect([budget.spend(), budget.spend()]).toEqual([true, false]);
  });

  test('ends when the caller gives up', async () => {
    const service = new ScriptedTransport([refused('LEDGER_CLOSED'), {}]);
    const error = await errorOf(couponsOf(service).claimCoupon(CLAIM, { signal: AbortSignal.abort() }));
    expect(error.attempts).toBe(1);
  });
});

describe('what a call carries', () => {
  test('leaves the message of the caller as it is, and gives each item of a batch an id', async () => {
    const service = new ScriptedTransport([{}]);
    const items = [CLAIM, { ...CLAIM, requestId: 'mine' }, CLAIM];
    await couponsOf(service).batchClaimCoupons({ items });
    expect(service.attempts[0]?.request).toMatchObject({
      items: [{ requestId: 'id-1' }, { requestId: 'mine' }, { requestId: 'id-2' }],
    });
    expect(items[0]).not.toHaveProperty('requestId');
  });

  test('headers of the client, and those of the call before them', async () => {
    const headers = () => ({ traceparent: '00-1', 'accept-language': 'zh' });
    const service = new ScriptedTransport([{}], { headers });
    await couponsOf(service).getCoupon({}, { headers: { 'accept-language': 'en' } });
    const sent = service.attempts[0]?.headers;
    expect([sent?.get('traceparent'), sent?.get('accept-language')]).toEqual(['00-1', 'en']);
  });

  test('a token that is fetched once, and once more when it is refused', async () => {
    const tokens = ['old', 'new', 'never'];
    const keeper = new TokenKeeper(() => tokens.shift() ?? '');
    const service = new ScriptedTransport([{}, refused('UNAUTHENTICATED'), {}], { tokens: keeper });
    const coupons = couponsOf(service);
    await coupons.claimCoupon(CLAIM);
    await coupons.claimCoupon(CLAIM);
    const sent = service.attempts.map((attempt) => attempt.headers.get('authorization'));
    expect(sent).toEqual(['Bearer old', 'Bearer old', 'Bearer new']);
  });

  test('a token that is refused twice is refused', async () => {
    const keeper = new TokenKeeper(() => 'same');
    const service = new ScriptedTransport([refused('UNAUTHENTICATED')], { tokens: keeper });
    const error = await errorOf(couponsOf(service).claimCoupon(CLAIM));
    expect(error).toMatchObject({ reason: 'UNAUTHENTICATED', attempts: 2, outcome: 'noEffect' });
  });

  test('calls that meet the same refusal ask for one token together', async () => {
    let asked = 0;
    const keeper = new TokenKeeper(async () => `token-${++asked}`);
    const [first] = await Promise.all([keeper.get(), keeper.get()]);
    await Promise.all([keeper.refused(first), keeper.refused(first)]);
    expect(await Promise.all([keeper.get(), keeper.get()])).toEqual(['token-2', 'token-2']);
    await keeper.refused(first);
    expect(await keeper.get()).toBe('token-2');
  });

  test('a token that cannot be had fails the call, and is asked for again by the next', async () => {
    const answers = [Promise.reject(new Error('vault sealed')), Promise.resolve('t')];
    const keeper = new TokenKeeper(() => answers.shift() ?? '');
    const service = new ScriptedTransport([{}], { tokens: keeper });
    await expect(couponsOf(service).claimCoupon(CLAIM)).rejects.toThrow('vault sealed');
    await couponsOf(service).claimCoupon(CLAIM);
    expect(service.attempts).toHaveLength(1);
  });
});

describe('an error', () => {
  test('says what the service said', async () => {
    const violations = [{ field: 'user_id', description: 'too long' }];
    const service = new ScriptedTransport([
      refused('INVALID_REQUEST', { violations, metadata: { seen: '65' } }),
    ]);
    const error = await errorOf(couponsOf(service).claimCoupon(CLAIM));
    expect(error).toMatchObject({
      fieldViolations: violations,
      metadata: { seen: '65' },
      isRetryable: false,
    });
    expect(error.localizedMessage).not.toBe('');
    expect(error.message).toBe('CouponService.ClaimCoupon: INVALID_REQUEST: as told');
  });

  test('of a limit is no effect, not repeated, and says when to come back', async () => {
    const service = new ScriptedTransport([refused('RATE_LIMITED')]);
    const error = await errorOf(couponsOf(service).claimCoupon(CLAIM));
    const wait = retryAfterMs(new Refusal('RATE_LIMITED', ''));
    expect(error).toMatchObject({ outcome: 'noEffect', isRetryable: true, retryAfterMs: wait, attempts: 1 });
  });
});
