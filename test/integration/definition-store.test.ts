/** What definitions keep and answer, on a real Postgres, with a ledger that can be switched off. */
import { randomUUID } from 'node:crypto';
import { toBinary } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DefinitionPorts } from '../../src/definitions/definition-ports.ts';
import { Outbox } from '../../src/definitions/outbox.ts';
import { countUndelivered } from '../../src/definitions/store/deliveries.ts';
import { type Promotion, PromotionSchema, PromotionState } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { AuditAction, PromotionOrder } from '../../src/gen/hongbao/v1/promotion_service_pb.ts';
import { Gauge } from '../../src/telemetry/metric.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import {
  definitionPorts,
  reasonOf,
  refusalOf,
  SwitchableLedger,
  samplePromotion,
  staffCall,
  staffOf,
} from '../definition-fixture.ts';

let database: TestDatabase;
let ledger: SwitchableLedger;
let ports: DefinitionPorts;
let staff: ReturnType<typeof staffOf>;

beforeAll(async () => {
  database = await createTestDatabase();
  ledger = new SwitchableLedger();
  ports = definitionPorts(database.url, ledger);
  staff = staffOf(ports);
});
afterAll(async () => {
  await ports.sql.end({ timeout: 1 });
  await database.drop();
});

function newId(): string {
  return `p-${randomUUID()}`;
}

function bytes(promotion: Promotion): string {
  return Buffer.from(toBinary(PromotionSchema, promotion)).toString('hex');
}

/**
 * Holds what every change takes first until both writes wait for it, so that each was begun on the same state. Without
 * this, one is nearly always over before the other begins.
 */
async function atTheSameMoment<Answer>(
  begin: () => readonly [Promise<Answer>, Promise<Answer>],
): Promise<PromiseSettledResult<Answer>[]> {
  // The driver never hands out a connection it has to open for that when array types are not fetched; an open one it does.
  await ports.sql`select 1`;
  const holder = await ports.sql.reserve();
  try {
    await holder`begin`;
    await holder`select from rule_set for update`;
    const settled = Promise.allSettled(begin());
    const waiting = () => ports.sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(async () => (await waiting()).length, { timeout: 10_000 }).toBe(2);
    await holder`commit`;
    return await settled;
  } finally {
    // Nothing is left to end unless the wait above failed.
    await holder`rollback`;
    holder.release();
  }
}

async function versionsOf(promotionId: string): Promise<(number | undefined)[]> {
  return ((await staff.versions({ promotionId })).versions ?? []).map(({ version }) => version);
}

// SPEC P1
describe('versions', () => {
  it('makes one at every change, and keeps the old ones', async () => {
    const promotionId = newId();
    const made = await staff.create({ promotionId, promotion: samplePromotion({ tags: ['a'] }) });
    expect(made).toMatchObject({ promotionId, version: 1, state: PromotionState.INACTIVE });
    const active = await staff.activate({ promotionId, etag: made.etag });
    expect(active).toMatchObject({ version: 2, state: PromotionState.ACTIVE });
    expect(active.etag).not.toBe(made.etag);
    await staff.update({ promotionId, promotion: samplePromotion({ tags: ['b'] }) });
    await staff.finish({ promotionId });
    await staff.deactivate({ promotionId });
    expect(await versionsOf(promotionId)).toEqual([5, 4, 3, 2, 1]);
    expect((await staff.get({ promotionId, version: 1 })).tags).toEqual(['a']);
    expect((await staff.get({ promotionId })).tags).toEqual(['b']);
    expect(await reasonOf(staff.get({ promotionId, version: 9 }))).toBe('PROMOTION_NOT_FOUND');
    expect(await reasonOf(staff.get({ promotionId, version: 0xff_ff_ff_ff }))).toBe('PROMOTION_NOT_FOUND');
  });

  it('ignores what the service sets itself', async () => {
    const promotion = samplePromotion({
      promotionId: 'other',
      version: 9,
      ref: 77,
      state: 'PROMOTION_STATE_ACTIVE',
    });
    const made = await staff.create({ promotion });
    expect(made).toMatchObject({ version: 1, state: PromotionState.INACTIVE, issuedCount: 0n });
    expect([made.promotionId, made.ref]).not.toEqual(['other', 77]);
    expect(made.createdAt).toEqual(made.updatedAt);
  });

  it('keeps a promotion that is in the wanted state already at its version', async () => {
    const promotionId = newId();
    await staff.create({ promotionId });
    await staff.activate({ promotionId });
    expect((await staff.activate({ promotionId })).version).toBe(2);
    expect(await versionsOf(promotionId)).toEqual([2, 1]);
  });

  it('changes only the masked fields', async () => {
    const promotionId = newId();
    const promotion = samplePromotion({ tags: ['a'], priority: 5, stock: { quantity: 10 } });
    await staff.create({ promotionId, promotion });
    const changes = { tags: ['b'], priority: 9 };
    const updated = await staff.update({
      promotionId,
      promotion: changes,
      updateMask: { paths: ['tags', 'stock'] },
    });
    expect(updated).toMatchObject({ tags: ['b'], priority: 5, version: 2 });
    expect(updated.stock).toBeUndefined();
    const refused = await refusalOf(
      staff.update({
        promotionId,
        promotion: changes,
        updateMask: { paths: ['tags', 'stock.quantity', 'state'] },
      }),
    );
    expect(refused.detail.violations?.map(({ field }) => field)).toEqual([
      'update_mask.paths[1]',
      'update_mask.paths[2]',
    ]);
  });

  it('checks a masked update as the whole promotion it would make', async () => {
    const promotionId = newId();
    await staff.create({ promotionId, promotion: samplePromotion({ stock: { perUserLimit: 5 } }) });
    const updateMask = { paths: ['effect'] };
    const promotion = {
      effect: { kind: { case: 'percentOff' as const, value: { discountBasisPoints: 10_001 } } },
    };
    const refused = await refusalOf(staff.update({ promotionId, promotion, updateMask }));
    expect(refused.detail.violations?.map(({ field }) => field)).toEqual([
      'promotion.effect.percent_off.discount_basis_points',
    ]);
    expect(await versionsOf(promotionId)).toEqual([1]);
  });

  it('does not give an id twice', async () => {
    const promotionId = newId();
    await staff.create({ promotionId });
    expect(await reasonOf(staff.create({ promotionId }))).toBe('PROMOTION_ALREADY_EXISTS');
  });
});

// SPEC P1: a stale etag is refused.
describe('two at once', () => {
  it('lets one of two updates of the same version win', async () => {
    const promotionId = newId();
    const { etag } = await staff.create({ promotionId });
    const outcomes = await atTheSameMoment(() => {
      const update = (tag: string) =>
        staff.update({ promotionId, etag, promotion: samplePromotion({ tags: [tag] }) });
      return [update('a'), update('b')];
    });
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const lost = outcomes.find(({ status }) => status === 'rejected');
    expect(lost).toMatchObject({ reason: { reason: 'ETAG_MISMATCH' } });
    expect(await versionsOf(promotionId)).toEqual([2, 1]);
  });

  it('lets one of two promotions with the same id win', async () => {
    const promotionId = newId();
    const outcomes = await atTheSameMoment(() => [
      staff.create({ promotionId }),
      staff.create({ promotionId }),
    ]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const lost = outcomes.find(({ status }) => status === 'rejected');
    expect(lost).toMatchObject({ reason: { reason: 'PROMOTION_ALREADY_EXISTS' } });
  });

  it('carries both out when neither names a version', async () => {
    const promotionId = newId();
    await staff.create({ promotionId });
    await atTheSameMoment(() => [
      staff.update({ promotionId, promotion: { tags: ['a'] }, updateMask: { paths: ['tags'] } }),
      staff.update({ promotionId, promotion: { priority: 3 }, updateMask: { paths: ['priority'] } }),
    ]);
    expect(await staff.get({ promotionId })).toMatchObject({ tags: ['a'], priority: 3, version: 3 });
  });
});

// SPEC L5, for staff's writes
describe('the same request again', () => {
  it('answers as the first time, also after later changes', async () => {
    const promotionId = newId();
    const request = { promotionId, requestId: randomUUID() };
    const first = await staff.create(request);
    await staff.update({ promotionId, promotion: samplePromotion({ tags: ['later'] }) });
    expect(bytes(await staff.create(request))).toBe(bytes(first));
    expect(await versionsOf(promotionId)).toEqual([2, 1]);
  });

  it('carries out one of two that arrive together', async () => {
    const requestId = randomUUID();
    const outcomes = await atTheSameMoment(() => [staff.create({ requestId }), staff.create({ requestId })]);
    const answers = outcomes.map((outcome) =>
      outcome.status === 'fulfilled' ? bytes(outcome.value) : outcome.reason,
    );
    expect(answers[0]).toBe(answers[1]);
  });

  it('is refused with other content, and remembered when nothing had to change', async () => {
    const promotionId = newId();
    await staff.create({ promotionId });
    await staff.activate({ promotionId });
    const requestId = randomUUID();
    expect((await staff.activate({ promotionId, requestId })).version).toBe(2);
    await staff.deactivate({ promotionId });
    expect((await staff.activate({ promotionId, requestId })).version).toBe(2);
    expect((await staff.get({ promotionId })).state).toBe(PromotionState.INACTIVE);
    expect(await reasonOf(staff.activate({ promotionId, requestId, reason: 'other' }))).toBe(
      'REQUEST_ID_REUSED',
    );
  });

  it('is free again after a refusal', async () => {
    const promotionId = newId();
    const requestId = randomUUID();
    expect(await reasonOf(staff.activate({ promotionId, requestId }))).toBe('PROMOTION_NOT_FOUND');
    await staff.create({ promotionId });
    expect((await staff.activate({ promotionId, requestId })).state).toBe(PromotionState.ACTIVE);
  });
});

// SPEC P1: who, when, what.
describe('the audit log', () => {
  it('names actor, reason, request and changed fields of every change', async () => {
    const promotionId = newId();
    await staff.create({ promotionId, reason: 'new season', requestId: `c-${promotionId}` });
    const omar = staffCall({ identity: { kind: 'admin', actor: 'omar', scopes: new Set() } });
    const promotion = samplePromotion({ tags: ['x'], priority: 2 });
    await staff.update({ promotionId, promotion, alsoIssued: true, reason: 'fix' }, omar);
    await staff.activate({ promotionId });
    const { entries = [] } = await staff.audit({ promotionId });
    expect(entries).toMatchObject([
      {
        action: AuditAction.ACTIVATED,
        version: 3,
        actor: 'mia',
        changedFields: ['state'],
        alsoIssued: false,
      },
      {
        action: AuditAction.UPDATED,
        version: 2,
        actor: 'omar',
        changedFields: ['tags', 'priority'],
        alsoIssued: true,
      },
      { action: AuditAction.CREATED, version: 1, reason: 'new season', requestId: `c-${promotionId}` },
    ]);
    const byOmar = await staff.audit({ promotionId, actor: 'omar', actions: [AuditAction.UPDATED] });
    expect(byOmar.entries).toHaveLength(1);
    const page = await staff.audit({ promotionId, pageSize: 2 });
    const rest = await staff.audit({ promotionId, pageSize: 2, pageToken: page.nextPageToken ?? '' });
    expect([page.entries?.length, rest.entries?.length, rest.nextPageToken]).toEqual([2, 1, '']);
  });
});

// LEDGER 9
describe('while the ledger is away', () => {
  it('stores the change, says that it is not live, and delivers it once the ledger is back', async () => {
    const promotionId = newId();
    const { ref } = await staff.create({ promotionId });
    const requestId = randomUUID();
    ledger.isDown = true;
    const outbox = new Outbox({
      ...ports,
      logger: pino({ level: 'silent' }),
      pending: new Gauge(),
      nowMs: Date.now,
    });
    outbox.start();
    try {
      expect(await reasonOf(staff.activate({ promotionId, requestId }))).toBe('LEDGER_UNAVAILABLE');
      expect(await reasonOf(staff.activate({ promotionId, requestId }))).toBe('LEDGER_UNAVAILABLE');
      expect(ledger.defined.get(ref)).toMatchObject({ version: 1, state: 'inactive' });
      ledger.isDown = false;
      await expect.poll(() => ledger.defined.get(ref)?.state, { timeout: 10_000 }).toBe('active');
      await expect.poll(() => countUndelivered(ports.sql, Date.now() + 5_000), { timeout: 10_000 }).toBe(0);
      expect(await staff.activate({ promotionId, requestId })).toMatchObject({ version: 2 });
      expect(await versionsOf(promotionId)).toEqual([2, 1]);
    } finally {
      ledger.isDown = false;
      await outbox.stop();
    }
  });

  it('delivers at the next attempt of the same request, without a runner', async () => {
    const request = { requestId: randomUUID(), promotionId: newId() };
    ledger.isDown = true;
    const refused = await reasonOf(staff.create(request)).finally(() => {
      ledger.isDown = false;
    });
    expect(refused).toBe('LEDGER_UNAVAILABLE');
    const { ref } = await staff.create(request);
    expect(ledger.defined.get(ref)?.version).toBe(1);
  });

  it('shares the work among many runners', async () => {
    const ids = Array.from({ length: 30 }, newId);
    ledger.isDown = true;
    await Promise.all(ids.map((promotionId) => reasonOf(staff.create({ promotionId })))).finally(() => {
      ledger.isDown = false;
    });
    const make = () =>
      new Outbox({ ...ports, logger: pino({ level: 'silent' }), pending: new Gauge(), nowMs: Date.now });
    const runners = [make(), make(), make()];
    for (const runner of runners) runner.start();
    const names = () => new Set([...ledger.defined.values()].map(({ id }) => id));
    await expect.poll(() => ids.filter((id) => !names().has(id)), { timeout: 10_000 }).toEqual([]);
    await Promise.all(runners.map((runner) => runner.stop()));
  });
});

// SPEC P1: list (filter, page).
describe('lists', () => {
  it('filters by everything staff can ask for', async () => {
    const tag = newId();
    const make = (changes: Parameters<typeof samplePromotion>[0]) =>
      staff.create({ promotion: samplePromotion({ tags: [tag], ...changes }) });
    const earlier = staffCall({ nowMs: Date.now() - 60_000 });
    const plain = await staff.create({ promotion: samplePromotion({ tags: [tag], priority: 1 }) }, earlier);
    const duck = await make({
      priority: 3,
      name: { en: 'Roast DUCK', zh: '烤鸭节' },
      category: 'PROMOTION_CATEGORY_ACTIVITY',
      currency: 'USD',
    });
    const gift = await make({
      priority: 2,
      effect: { giftItems: { items: [{ itemId: 'tea', quantity: 1 }] } },
      reach: { automatic: {} },
    });
    await staff.activate({ promotionId: gift.promotionId });
    const ids = async (filter: Parameters<typeof staff.list>[0]) =>
      (await staff.list({ tag, ...filter })).promotions.map(({ promotionId }) => promotionId);
    expect(await ids({})).toEqual([gift.promotionId, duck.promotionId, plain.promotionId]);
    expect(await ids({ order: PromotionOrder.OLDEST_FIRST })).toEqual([
      plain.promotionId,
      duck.promotionId,
      gift.promotionId,
    ]);
    expect(await ids({ order: PromotionOrder.PRIORITY })).toEqual([
      duck.promotionId,
      gift.promotionId,
      plain.promotionId,
    ]);
    expect(await ids({ searchText: 'duck' })).toEqual([duck.promotionId]);
    expect(await ids({ searchText: '烤鸭' })).toEqual([duck.promotionId]);
    expect(await ids({ searchText: '%' })).toEqual([]);
    expect(await ids({ currency: 'USD' })).toEqual([duck.promotionId]);
    expect(await ids({ categories: [duck.category] })).toEqual([duck.promotionId]);
    expect(await ids({ ways: [1] })).toEqual([gift.promotionId]);
    expect(await ids({ effects: [3] })).toEqual([gift.promotionId]);
    expect(await ids({ states: [PromotionState.ACTIVE] })).toEqual([gift.promotionId]);
    const { createdAt } = duck;
    if (createdAt === undefined) throw new Error('no time of creation');
    expect(await ids({ createdFrom: createdAt })).not.toContain(plain.promotionId);
    expect(await ids({ createdUntil: createdAt })).toEqual([plain.promotionId]);
  });

  it('shows every promotion once while others are written', async () => {
    const tag = newId();
    const made: Promotion[] = [];
    for (let count = 0; count < 7; count += 1)
      made.push(await staff.create({ promotion: samplePromotion({ tags: [tag] }) }));
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await staff.list({ tag, pageSize: 2, pageToken });
      seen.push(...page.promotions.map(({ promotionId }) => promotionId));
      pageToken = page.nextPageToken;
      await staff.create({ promotion: samplePromotion({ tags: [tag] }) });
      await staff.activate({ promotionId: made[0]?.promotionId ?? '' });
    } while (pageToken !== '');
    expect(seen).toEqual(made.map(({ promotionId }) => promotionId).reverse());
  });

  it('refuses a token of another query', async () => {
    const tag = newId();
    for (let count = 0; count < 2; count += 1)
      await staff.create({ promotion: samplePromotion({ tags: [tag] }) });
    const { nextPageToken } = await staff.list({ tag, pageSize: 1 });
    expect(nextPageToken).not.toBe('');
    for (const pageToken of [nextPageToken, 'nonsense']) {
      const refused = await refusalOf(staff.list({ tag: 'another', pageSize: 1, pageToken }));
      expect(refused.detail.violations?.map(({ field }) => field)).toEqual(['page_token']);
    }
  });

  // SPEC P6
  it('finds promotions by the state people see', async () => {
    const tag = newId();
    const make = async (changes: Parameters<typeof samplePromotion>[0]) => {
      const { promotionId, ref } = await staff.create({
        promotion: samplePromotion({ tags: [tag], ...changes }),
      });
      await staff.activate({ promotionId });
      return { promotionId, ref };
    };
    const soldOut = await make({ stock: { quantity: 5 } });
    const over = await make({ validity: { fixedDates: { endsAt: '2020-01-01T00:00:00Z' } } });
    const running = await make({ stock: { quantity: 6 } });
    const ended = await make({});
    await staff.finish({ promotionId: ended.promotionId });
    ledger.issued.set(soldOut.ref, 5);
    ledger.issued.set(running.ref, 5);
    const ids = async (state: PromotionState) =>
      (await staff.list({ tag, states: [state], order: PromotionOrder.OLDEST_FIRST })).promotions.map(
        ({ promotionId }) => promotionId,
      );
    expect(await ids(PromotionState.FINISHED)).toEqual([
      soldOut.promotionId,
      over.promotionId,
      ended.promotionId,
    ]);
    expect(await ids(PromotionState.ACTIVE)).toEqual([running.promotionId]);
    expect(await ids(PromotionState.INACTIVE)).toEqual([]);
  });
});
