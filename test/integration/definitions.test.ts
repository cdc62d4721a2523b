/** Staff's changes as claims feel them: real Postgres, real redis-server. */
import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDefineMissing } from '../../src/definitions/define-missing.ts';
import type { DefinitionLedger } from '../../src/definitions/definition-ledger.ts';
import type { DefinitionPorts } from '../../src/definitions/definition-ports.ts';
import { FinishReason, PromotionState } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { GetPromotionStatisticsRequestSchema } from '../../src/gen/hongbao/v1/promotion_service_pb.ts';
import { partitionKeys } from '../../src/ledger/keys.ts';
import { getPromotionStatistics } from '../../src/transport/handlers/get-promotion-statistics.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { definitionPorts, reasonOf, samplePromotion, staffCall, staffOf } from '../definition-fixture.ts';
import { reasonOf as claimReasonOf, type LedgerFixture, startLedgerFixture } from '../ledger-fixture.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let ports: DefinitionPorts;
let staff: ReturnType<typeof staffOf>;

beforeAll(async () => {
  database = await createTestDatabase();
  fixture = await startLedgerFixture({
    defineMissing: (ref) => createDefineMissing(ports, Date.now)(ref),
  });
  ports = definitionPorts(database.url, ledgerOf(fixture));
  staff = staffOf(ports);
});
afterAll(async () => {
  await ports.sql.end({ timeout: 1 });
  await fixture.close();
  await database.drop();
});

function ledgerOf({ ledger }: LedgerFixture): DefinitionLedger {
  return {
    define: (definition, deadlineMs) => ledger.define(definition, deadlineMs),
    readStock: (refs, deadlineMs) => ledger.read(deadlineMs, (reads) => reads.stock(refs, undefined)),
    readDefinitionBodies: (deadlineMs) => ledger.read(deadlineMs, (reads) => reads.definitionBodies()),
  };
}

async function claim(ref: number, user: string = randomUUID()): Promise<string> {
  return claimReasonOf(await fixture.claim({ ref, user, request: randomUUID() }));
}

/** Writes the archive's cursor as the archiver would after it has come this far. */
async function archiveUpTo(seq: number): Promise<void> {
  await ports.sql`
    insert into ledger_cursor (generation, partition, seq) values (1, 0, ${seq})
    on conflict (generation, partition) do update set seq = excluded.seq`;
}

function newId(): string {
  return `p-${randomUUID()}`;
}

// SPEC P1, P6: activate and deactivate take effect when they return.
describe('a change of staff', () => {
  it('is felt by the next claim', async () => {
    const promotionId = newId();
    const { ref } = await staff.create({ promotionId });
    expect(await claim(ref)).toBe('PROMOTION_INACTIVE');
    await staff.activate({ promotionId });
    expect(await claim(ref)).toBe('claimed');
    await staff.deactivate({ promotionId });
    expect(await claim(ref)).toBe('PROMOTION_INACTIVE');
    await staff.finish({ promotionId });
    expect(await claim(ref)).toBe('PROMOTION_ENDED');
    expect(await staff.get({ promotionId })).toMatchObject({
      state: PromotionState.FINISHED,
      finishReason: FinishReason.BY_HAND,
      issuedCount: 1n,
    });
  });

  // SPEC P5, P6: sold out is finished; more stock brings it back at once.
  it('revives a sold-out promotion with more stock', async () => {
    const promotionId = newId();
    const { ref } = await staff.create({
      promotionId,
      promotion: samplePromotion({ stock: { quantity: 2 } }),
    });
    await staff.activate({ promotionId });
    expect([await claim(ref), await claim(ref), await claim(ref)]).toEqual([
      'claimed',
      'claimed',
      'SOLD_OUT',
    ]);
    expect(await staff.get({ promotionId })).toMatchObject({
      state: PromotionState.FINISHED,
      finishReason: FinishReason.SOLD_OUT,
      issuedCount: 2n,
    });
    const updated = await staff.update({
      promotionId,
      promotion: samplePromotion({ stock: { quantity: 3 } }),
    });
    expect(updated).toMatchObject({ state: PromotionState.ACTIVE, issuedCount: 2n });
    expect([await claim(ref), await claim(ref)]).toEqual(['claimed', 'SOLD_OUT']);
  });

  it('cannot take the quantity below what is issued', async () => {
    const promotionId = newId();
    const { ref } = await staff.create({ promotionId });
    await staff.activate({ promotionId });
    await claim(ref);
    await claim(ref);
    const withQuantity = (quantity: number) =>
      staff.update({ promotionId, promotion: samplePromotion({ stock: { quantity } }) });
    expect(await reasonOf(withQuantity(1))).toBe('QUANTITY_BELOW_ISSUED');
    expect((await withQuantity(2)).version).toBe(3);
    expect(await claim(ref)).toBe('SOLD_OUT');
  });

  // SPEC P1, A1 in part: the figures of one promotion.
  it('shows in the statistics', async () => {
    const promotionId = newId();
    const { ref } = await staff.create({
      promotionId,
      promotion: samplePromotion({ stock: { quantity: 5 } }),
    });
    await staff.activate({ promotionId });
    await claim(ref);
    const read = getPromotionStatistics(ports);
    const statistics = await read(create(GetPromotionStatisticsRequestSchema, { promotionId }), staffCall());
    expect(statistics).toMatchObject({
      promotionId,
      version: 2,
      state: PromotionState.ACTIVE,
      issued: 1n,
      quantity: 5n,
      remaining: 4n,
      claimed: 1n,
      archived: 0n,
    });
  });
});

// SPEC P1: delete is refused once a coupon was issued; the ledger's count decides.
describe('deleting', () => {
  it('is refused while active and after a coupon was issued', async () => {
    const promotionId = newId();
    const { ref } = await staff.create({ promotionId });
    await staff.activate({ promotionId });
    expect(await reasonOf(staff.remove({ promotionId }))).toBe('PROMOTION_STILL_ACTIVE');
    await claim(ref);
    await staff.deactivate({ promotionId });
    expect(await reasonOf(staff.remove({ promotionId }))).toBe('PROMOTION_ALREADY_ISSUED');
    expect((await staff.get({ promotionId })).state).toBe(PromotionState.INACTIVE);
  });

  // LEDGER 9: the archive must have passed the event that stopped the claims.
  it('waits for the archive, then removes the promotion and keeps its history', async () => {
    const promotionId = newId();
    const { ref } = await staff.create({ promotionId });
    await archiveUpTo(-1);
    const soon = staffCall({ deadlineMs: Date.now() + 300 });
    expect(await reasonOf(staff.remove({ promotionId }, soon))).toBe('ARCHIVE_UNAVAILABLE');
    const requestId = randomUUID();
    const removed = staff.remove({ promotionId, requestId });
    await archiveUpTo(1_000_000);
    await removed;
    await staff.remove({ promotionId, requestId });
    expect(await claim(ref)).toBe('PROMOTION_NOT_FOUND');
    expect(await reasonOf(staff.get({ promotionId }))).toBe('PROMOTION_NOT_FOUND');
    expect(await reasonOf(staff.activate({ promotionId }))).toBe('PROMOTION_NOT_FOUND');
    expect(await reasonOf(staff.create({ promotionId }))).toBe('PROMOTION_ALREADY_EXISTS');
    const { versions = [] } = await staff.versions({ promotionId });
    expect(versions.map(({ state }) => state)).toEqual([PromotionState.DELETED, PromotionState.INACTIVE]);
    expect((await staff.audit({ promotionId })).entries).toHaveLength(2);
  });

  it('loses against an activation that comes in between', async () => {
    const promotionId = newId();
    await staff.create({ promotionId });
    await archiveUpTo(-1);
    const removed = reasonOf(staff.remove({ promotionId }));
    await staff.activate({ promotionId });
    await archiveUpTo(1_000_000);
    expect(await removed).toBe('PROMOTION_STILL_ACTIVE');
    expect((await staff.get({ promotionId })).state).toBe(PromotionState.ACTIVE);
  });
});

// LEDGER 9: a missing record is fetched from Postgres.
describe('a record the ledger lost', () => {
  it('comes back with the claims that miss it, however many', async () => {
    const promotionId = newId();
    const { ref } = await staff.create({ promotionId });
    await staff.activate({ promotionId });
    await fixture.redis.del(partitionKeys(0).promotionPrefix + ref);
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => claim(ref)));
    expect(answers).toEqual(['claimed', 'claimed', 'claimed', 'claimed', 'claimed']);
  });

  it('is not found when there never was such a promotion', async () => {
    expect(await claim(2_000_000_000)).toBe('PROMOTION_NOT_FOUND');
  });
});

// LEDGER 9, 14
it('a ledger that restarts leaves the change stored and unknown until it is open again', async () => {
  const promotionId = newId();
  const { ref } = await staff.create({ promotionId });
  await fixture.server.kill();
  const requestId = randomUUID();
  const refused = await reasonOf(
    staff.activate({ promotionId, requestId }, staffCall({ deadlineMs: Date.now() + 2_000 })),
  );
  expect(['LEDGER_UNAVAILABLE', 'LEDGER_CLOSED', 'DEADLINE_EXCEEDED']).toContain(refused);
  await fixture.server.restart();
  await fixture.open();
  await expect
    .poll(() => staff.activate({ promotionId, requestId }).catch(() => undefined), { timeout: 15_000 })
    .toMatchObject({ version: 2, state: PromotionState.ACTIVE });
  expect(await claim(ref)).toBe('claimed');
});
