import { create, toBinary } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Identity } from '../domain/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import { COUPON_BYTES } from '../evaluation/coupon-bytes.ts';
import type { PendingEvaluation } from '../evaluation/pending-evaluation.ts';
import { EvaluateCartRequestSchema } from '../gen/hongbao/v1/cart_service_pb.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { EvaluationIntake, type EvaluationIntakePorts } from './evaluation-intake.ts';

const NOW_MS = 1_000_000;
const checkout: Identity = { kind: 'service', actor: 'checkout', scopes: new Set(['carts:evaluate']) };
const alice: Identity = { kind: 'end_user', actor: 'alice', userId: 'alice', scopes: new Set() };

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS, toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Sent {
  readonly item: PendingEvaluation;
  readonly isHeavy: boolean;
}

/** An intake whose evaluator keeps what it is given. */
function intakeOf(ports: Partial<EvaluationIntakePorts> = {}) {
  const metrics = createMetrics({ version: 'test', node: 'test' });
  const sent: Sent[] = [];
  const reads: string[][] = [];
  const intake = new EvaluationIntake({
    evaluator: { submit: (item, isHeavy) => sent.push({ item, isHeavy }), replay: () => undefined },
    readWallets: async (userIds) => {
      reads.push([...userIds]);
      return userIds.map((userId) => Buffer.from(userId));
    },
    versionBody: async () => undefined,
    evaluations: metrics.evaluations,
    logger: pino({ level: 'silent' }),
    nowMs: () => Date.now(),
    ...ports,
  });
  const ask = (
    fields: Parameters<typeof create<typeof EvaluateCartRequestSchema>>[1],
    identity: Identity = checkout,
  ) => {
    const answers: (Uint8Array | Refusal)[] = [];
    const bytes = toBinary(EvaluateCartRequestSchema, create(EvaluateCartRequestSchema, fields));
    const context = {
      identity,
      nowMs: NOW_MS,
      deadlineMs: NOW_MS + 1_000,
      signal: new AbortController().signal,
    };
    intake.submit('evaluate_cart', bytes, context, (answer) => answers.push(answer));
    return answers;
  };
  return { ask, sent, reads, metrics };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const refusalWith = (reason: string) => expect.objectContaining({ reason });

describe('wallets', () => {
  it('of one turn are read in one round trip, each user once', async () => {
    const { ask, sent, reads } = intakeOf();
    for (const userId of ['ann', 'bob', 'ann']) ask({ userId, useWallet: true });
    ask({ userId: 'carl' });
    expect(sent).toHaveLength(1);
    await turn();
    await turn();
    expect(reads).toEqual([['ann', 'bob']]);
    const wallets = sent.map(({ item }) => Buffer.from(item.wallet).toString());
    expect(wallets).toEqual(['', 'ann', 'ann', 'bob']);
  });

  it('that cannot be read refuse those who asked for them', async () => {
    const unavailable = new Refusal('LEDGER_UNAVAILABLE', 'away');
    const { ask, metrics } = intakeOf({ readWallets: () => Promise.reject(unavailable) });
    const answers = [ask({ userId: 'ann', useWallet: true }), ask({ userId: 'bob', useWallet: true })];
    await turn();
    await turn();
    expect(answers).toEqual([[unavailable], [unavailable]]);
    expect(metrics.evaluations.child('LEDGER_UNAVAILABLE').value).toBe(2);
  });

  it("are the end user's own, whether named or not (SPEC S1)", async () => {
    const { ask, reads } = intakeOf();
    ask({ useWallet: true }, alice);
    expect(ask({ userId: 'bob', useWallet: true }, alice)).toEqual([refusalWith('USER_NOT_FOUND')]);
    expect(ask({ userId: 'bob' }, alice)).toEqual([refusalWith('USER_NOT_FOUND')]);
    await turn();
    expect(reads).toEqual([['alice']]);
  });

  it('are not read for a malformed user id: the worker names the fault', async () => {
    const { ask, sent, reads } = intakeOf();
    ask({ userId: 'a{b}', useWallet: true }, alice);
    await turn();
    expect(sent).toHaveLength(1);
    expect(reads).toEqual([]);
  });
});

describe('heavy requests', () => {
  it('are those with a large message, a large wallet or many codes', async () => {
    const wallet = (coupons: number) => new Uint8Array(coupons * COUPON_BYTES);
    const { ask, sent } = intakeOf({
      readWallets: async (userIds) => userIds.map((userId) => wallet(Number(userId))),
    });
    ask({ codes: Array.from({ length: 20 }, (_, index) => `${index}`) });
    ask({ codes: Array.from({ length: 21 }, (_, index) => `${index}`) });
    ask({ codes: ['x'.repeat(16_385)] });
    ask({ userId: '20', useWallet: true });
    ask({ userId: '21', useWallet: true });
    await turn();
    await turn();
    expect(sent.map(({ isHeavy }) => isHeavy)).toEqual([false, true, true, false, true]);
  });
});

describe('older versions', () => {
  it('are looked up and brought; what does not exist is said so', async () => {
    const body = Buffer.from('body');
    const { ask, sent } = intakeOf({ versionBody: async (ref) => (ref === 1 ? body : undefined) });
    ask({ userId: 'ann' });
    const names = [
      { ref: 1, version: 4 },
      { ref: 2, version: 5 },
    ];
    sent[0]?.item.needs(names);
    await turn();
    expect(sent).toHaveLength(2);
    expect(sent[1]?.item).toMatchObject({ bodies: [body], lookedUp: names });
  });

  it('are not asked for without end', async () => {
    const { ask, sent } = intakeOf();
    const answers = ask({ userId: 'ann' });
    for (let round = 0; round < 3; round += 1) {
      sent.at(-1)?.item.needs([{ ref: round, version: 1 }]);
      await turn();
    }
    expect(sent).toHaveLength(3);
    expect(answers).toEqual([refusalWith('EVALUATION_FAILED')]);
  });

  it('that cannot be looked up refuse the request with the reason', async () => {
    const unavailable = new Refusal('ARCHIVE_UNAVAILABLE', 'away');
    const { ask, sent } = intakeOf({ versionBody: () => Promise.reject(unavailable) });
    const answers = ask({ userId: 'ann' });
    sent[0]?.item.needs([{ ref: 1, version: 1 }]);
    await turn();
    expect(answers).toEqual([unavailable]);
  });
});

describe('deadlines', () => {
  it('are answered wherever a request waits, a little before they pass, and only once', async () => {
    const { ask, sent } = intakeOf({ readWallets: () => new Promise(() => {}) });
    const answers = [ask({ userId: 'ann', useWallet: true }), ask({ userId: 'bob' })];
    await turn();
    vi.advanceTimersByTime(989);
    expect(answers).toEqual([[], []]);
    vi.advanceTimersByTime(1);
    const late = [refusalWith('DEADLINE_EXCEEDED')];
    expect(answers).toEqual([late, late]);
    expect(sent[0]?.item.isSettled).toBe(true);
    sent[0]?.item.answered(new Uint8Array());
    expect(answers[1]).toHaveLength(1);
  });
});

describe('replays', () => {
  it('are for those who may, with the rules or with a wallet (SPEC S1)', () => {
    const { ask, sent } = intakeOf();
    const held = { heldCoupons: [{ couponId: 'c' }], useWallet: true };
    expect(ask(held)).toEqual([refusalWith('PERMISSION_DENIED')]);
    expect(ask({ ruleSetVersion: 3n })).toEqual([refusalWith('PERMISSION_DENIED')]);
    const auditor: Identity = { ...checkout, scopes: new Set(['carts:replay']) };
    expect(ask(held, auditor)).toEqual([]);
    expect(ask({ ruleSetVersion: 3n }, auditor)).toEqual([]);
    expect(sent).toHaveLength(1);
  });
});
