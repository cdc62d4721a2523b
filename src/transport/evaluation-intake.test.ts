import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { COUPON_BYTES } from '../domain/coupon.ts';
import type { Identity } from '../domain/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import type { PendingEvaluation } from '../evaluation/pending-evaluation.ts';
import { EvaluateCartRequestSchema } from '../gen/hongbao/v1/cart_service_pb.ts';
import { PromotionSchema } from '../gen/hongbao/v1/promotion_pb.ts';
import type { HolderAsk } from '../ledger/reads.ts';
import { userUsesField } from '../ledger/record-fields.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { EvaluationIntake, type EvaluationIntakePorts, type EvaluationOptions } from './evaluation-intake.ts';
import { LimitHints, type LimitHintsPorts } from './limit-hints.ts';
import type { LiveSources, LookUpCodes } from './live-sources.ts';
import { WatchedPromotions } from './watched-promotions.ts';

const NOW_MS = 1_000_000;
const checkout: Identity = { kind: 'service', actor: 'checkout', scopes: new Set(['carts:evaluate']) };
const alice: Identity = { kind: 'end_user', actor: 'alice', userId: 'alice', scopes: new Set() };

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS, toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Live sources that know of these promotions. */
function liveOf(
  promotions: readonly MessageInitShape<typeof PromotionSchema>[] = [],
  changed: { readCounters?: LimitHintsPorts['readCounters']; lookUpCodes?: LookUpCodes } = {},
): LiveSources {
  const { readCounters = async (asks) => asks.map(({ fields }) => fields.map(() => null)), ...rest } =
    changed;
  const watched = new WatchedPromotions();
  watched.replace(
    promotions.map((init, at) => ({ ref: at + 1, promotion: create(PromotionSchema, { ...init }) })),
  );
  const hints = new LimitHints({ limited: watched.limited, readCounters, nowMs: () => Date.now() });
  return { watched, hints, ...rest };
}

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
    readHolders: async (asks) => {
      reads.push(asks.map(({ userId }) => userId));
      return asks.map(({ userId }) => ({ wallet: Buffer.from(userId), account: new Map() }));
    },
    live: liveOf(),
    versionBody: async () => undefined,
    evaluations: metrics.evaluations,
    logger: pino({ level: 'silent' }),
    nowMs: () => Date.now(),
    ...ports,
  });
  const ask = (
    fields: Parameters<typeof create<typeof EvaluateCartRequestSchema>>[1],
    identity: Identity = checkout,
    options: EvaluationOptions = {},
  ) => {
    const answers: (Uint8Array | Refusal)[] = [];
    const bytes = toBinary(EvaluateCartRequestSchema, create(EvaluateCartRequestSchema, fields));
    const context = {
      identity,
      nowMs: NOW_MS,
      deadlineMs: NOW_MS + 1_000,
      signal: new AbortController().signal,
    };
    intake.submit('evaluate_cart', bytes, context, (answer) => answers.push(answer), options);
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
    const { ask, metrics } = intakeOf({ readHolders: () => Promise.reject(unavailable) });
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
      readHolders: async (asks) =>
        asks.map(({ userId }) => ({ wallet: wallet(Number(userId)), account: new Map() })),
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
    const { ask, sent } = intakeOf({ readHolders: () => new Promise(() => {}) });
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

/** A promotion without anything that is looked at here. */
const plain: MessageInitShape<typeof PromotionSchema> = { promotionId: 'plain' };
const codePromotion: MessageInitShape<typeof PromotionSchema> = {
  reach: { way: { case: 'code', value: { codes: { case: 'singleUseCodes', value: {} } } } },
};
const publicPromotion: MessageInitShape<typeof PromotionSchema> = {
  reach: { way: { case: 'code', value: { codes: { case: 'publicCode', value: { code: 'Spring' } } } } },
};
const turns = async (): Promise<void> => {
  for (let count = 0; count < 4; count += 1) await turn();
};
const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

describe('facts kept about the user', () => {
  /** An intake whose ledger keeps facts and one use of promotion 1, and what it was asked. */
  function keeping(promotions: readonly MessageInitShape<typeof PromotionSchema>[]) {
    const asked: HolderAsk[] = [];
    const account = new Map([
      ['f', Buffer.from('facts')],
      [userUsesField(1).toString('latin1'), Buffer.from('1')],
    ]);
    const { ask, sent } = intakeOf({
      readHolders: async (asks) => {
        asked.push(...asks);
        return asks.map(() => ({ wallet: new Uint8Array(), account }));
      },
      live: liveOf(promotions),
    });
    return { ask, sent, asked };
  }

  it('are read with the wallet, and without one only when a promotion asks for them (SPEC S2)', async () => {
    const without = keeping([plain]);
    without.ask({ userId: 'ann' });
    without.ask({ userId: 'bob', useWallet: true });
    await turns();
    expect(without.asked).toEqual([{ userId: 'bob', wantsWallet: true, account: 'facts' }]);
    expect(without.sent.map(({ item }) => textOf(item.live?.facts))).toEqual(['', 'facts']);

    const looking = keeping([{ rules: [{ kind: { case: 'firstOrder', value: {} } }] }]);
    looking.ask({ userId: 'ann' });
    looking.ask({}, alice);
    looking.ask({});
    await turns();
    expect(looking.asked.map(({ userId, wantsWallet }) => [userId, wantsWallet])).toEqual([
      ['ann', false],
      ['alice', false],
    ]);
    expect(looking.sent.map(({ item }) => textOf(item.live?.facts))).toEqual(['', 'facts', 'facts']);
  });

  it('that cannot be read are unknown; a cart that needs no wallet is decided without', async () => {
    const readHolders = () => Promise.reject(new Refusal('LEDGER_UNAVAILABLE', 'away'));
    const live = liveOf([{ rules: [{ kind: { case: 'firstOrder', value: {} } }] }]);
    const { ask, sent } = intakeOf({ readHolders, live });
    const answers = ask({ userId: 'ann' });
    await turns();
    expect(answers).toEqual([]);
    expect(sent[0]?.item.live).toBeUndefined();
    expect(ask({ userId: 'ann', useWallet: true })).toEqual([]);
    await turns();
    expect(sent).toHaveLength(1);
  });

  it('are left alone by a replay, whose own facts are believed (SPEC R13)', async () => {
    const { ask, sent } = intakeOf({
      live: liveOf([{ rules: [{ kind: { case: 'firstOrder', value: {} } }] }]),
    });
    const auditor: Identity = { ...checkout, scopes: new Set(['carts:replay']) };
    ask({ userId: 'ann', liveLimits: [{ promotionRef: 1 }] }, auditor);
    await turns();
    expect(sent[0]?.item).toMatchObject({ areFactsBelieved: true });
    expect(ask({ liveLimits: [{ promotionRef: 1 }] })).toEqual([refusalWith('PERMISSION_DENIED')]);
  });

  it("come with the user's uses where those are limited (SPEC P9)", async () => {
    const { ask, sent, asked } = keeping([{ limits: { usesPerUser: 2n } }]);
    ask({ userId: 'ann' });
    await turns();
    expect(asked).toEqual([{ userId: 'ann', wantsWallet: false, account: 'whole' }]);
    const limits = JSON.parse(textOf(sent[0]?.item.live?.limits));
    expect(limits).toEqual([{ promotionRef: 1, userUses: { allowed: 2, seen: 1 } }]);
  });
});

describe('limits (SPEC P9)', () => {
  const counted = (uses: number, money: number) => ({
    readCounters: async (asks: Parameters<LimitHintsPorts['readCounters']>[0]) =>
      asks.map(() => [uses, money]),
  });
  const limited = { limits: { usesTotal: 10n, budget: { amountMinor: 5_000n } } };

  it('are read before the first cart, and travel where they may bind', async () => {
    const { ask, sent } = intakeOf({ live: liveOf([plain, limited], counted(9, 4_000)) });
    ask({});
    await turns();
    expect(JSON.parse(textOf(sent[0]?.item.live?.limits))).toEqual([
      { promotionRef: 2, uses: { allowed: 10, seen: 9 }, budget: { amountMinor: 5_000, leftMinor: 1_000 } },
    ]);
  });

  it('that are far away are not sent, and neither are those that a failed read left unknown', async () => {
    const far = { limits: { usesTotal: 1_000n } };
    const away = { readCounters: () => Promise.reject(new Error('away')) };
    for (const live of [liveOf([far], counted(9, 0)), liveOf([limited], away)]) {
      const { ask, sent } = intakeOf({ live });
      ask({});
      await turns();
      expect(sent).toHaveLength(1);
      expect(sent[0]?.item.live).toBeUndefined();
    }
  });

  it('that a reservation ran into are known at once, and what the caller knows counts before', async () => {
    const live = liveOf([limited], counted(0, 0));
    const { ask, sent } = intakeOf({ live });
    await live.hints.refresh();
    live.hints.note(1, 'ann', 'USES_EXHAUSTED', 10);
    live.hints.note(1, 'ann', 'BUDGET_EXHAUSTED', 4_990);
    ask({});
    ask({}, checkout, { limits: [{ promotionRef: 1, uses: { allowed: 10, seen: 8 } }] });
    const budget = { amountMinor: 5_000, leftMinor: 10 };
    expect(sent.map(({ item }) => JSON.parse(textOf(item.live?.limits)))).toEqual([
      [{ promotionRef: 1, uses: { allowed: 10, seen: 10 }, budget }],
      [{ promotionRef: 1, uses: { allowed: 10, seen: 8 }, budget }],
    ]);
  });

  it('are read again after a quarter of a second, or before a decision that asks for it', async () => {
    let uses = 9;
    const readCounters: LimitHintsPorts['readCounters'] = async (asks) => asks.map(() => [uses, null]);
    const { ask, sent } = intakeOf({ live: liveOf([{ limits: { usesTotal: 10n } }], { readCounters }) });
    const seen = () => JSON.parse(textOf(sent.at(-1)?.item.live?.limits))[0].uses.seen;
    ask({});
    await turns();
    uses = 10;
    ask({});
    expect(seen()).toBe(9);
    ask({}, checkout, { freshLimits: true });
    await turns();
    expect(seen()).toBe(10);
    uses = 5;
    vi.advanceTimersByTime(250);
    ask({});
    await turns();
    ask({});
    expect(seen()).toBe(5);
  });
});

describe('codes (SPEC P8)', () => {
  const found = new Map([
    ['k1', { promotionRef: 1, state: 'free' as const }],
    ['k2', { promotionRef: 1, state: 'held' as const }],
  ]);

  it('that are not public are looked up in one query; a cart without codes asks nothing', async () => {
    const asked: string[][] = [];
    const lookUpCodes: LookUpCodes = async (codes) => {
      asked.push([...codes]);
      return found;
    };
    const { ask, sent } = intakeOf({ live: liveOf([codePromotion, publicPromotion], { lookUpCodes }) });
    ask({});
    ask({ codes: ['SPRING'] });
    expect(sent).toHaveLength(2);
    ask({ codes: [' K1', 'spring', 'k3'], selection: { codes: ['k2', 'k1'] } });
    await turns();
    expect(asked).toEqual([['k1', 'k3', 'k2']]);
    expect(JSON.parse(textOf(sent[2]?.item.live?.codes))).toEqual([
      { code: 'k1', promotionRef: 1, state: 'free' },
      { code: 'k2', promotionRef: 1, state: 'taken' },
    ]);
  });

  it('that cannot be looked up refuse the request; they are not taken for unknown', async () => {
    const unavailable = new Refusal('ARCHIVE_UNAVAILABLE', 'away');
    const lookUpCodes: LookUpCodes = () => Promise.reject(unavailable);
    const { ask, sent } = intakeOf({ live: liveOf([codePromotion], { lookUpCodes }) });
    const answers = ask({ codes: ['k1'] });
    await turns();
    expect(answers).toEqual([unavailable]);
    expect(sent).toEqual([]);
  });

  it('cost no query while there are no single-use codes', () => {
    const lookUpCodes: LookUpCodes = () => Promise.reject(new Error('asked'));
    const { ask, sent } = intakeOf({ live: liveOf([publicPromotion], { lookUpCodes }) });
    ask({ codes: ['k1'] });
    expect(sent).toHaveLength(1);
  });
});
