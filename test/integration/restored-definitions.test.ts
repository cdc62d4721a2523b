/** Definitions after Postgres was restored to an older state, while the ledger has gone on: docs/recovery.md. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { DefinitionPorts } from '../../src/definitions/definition-ports.ts';
import { rebuildDefinitions } from '../../src/definitions/rebuild-definitions.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { definitionPorts, forgetPromotion, SwitchableLedger, staffOf } from '../definition-fixture.ts';

let database: TestDatabase;
let ports: DefinitionPorts;
let staff: ReturnType<typeof staffOf>;
const ledger = new SwitchableLedger();

beforeAll(async () => {
  database = await createTestDatabase();
  ports = definitionPorts(database.url, ledger);
  staff = staffOf(ports);
  await ports.sql`insert into ledger_generation (generation, partitions, state, reason) values (1, 1, 'current', 'test')
    on conflict (generation) do update set state = 'current'`;
});
afterEach(async () => {
  ledger.defined.clear();
  await ports.sql`delete from ledger_field`;
});
afterAll(async () => {
  await ports.sql.end({ timeout: 1 });
  await database.drop();
});

/** What the archive brings from the ledger's log. */
async function archive(): Promise<void> {
  for (const { ref, body } of ledger.defined.values())
    await ports.sql`insert into ledger_field (generation, partition, target, id, field, value, seq)
      values (1, 0, 'promotion', ${String(ref)}, 'body', ${Buffer.from(body)}, 1)
      on conflict (generation, partition, target, id, field) do update set value = excluded.value`;
}

async function rebuild(isConfirmed: boolean): Promise<{ outcome: string; lines: readonly string[] }> {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  return { outcome: await rebuildDefinitions({ sql: ports.sql, isConfirmed, say, nowMs: Date.now }), lines };
}

async function createActive(promotionId: string) {
  await staff.create({ promotionId });
  return await staff.activate({ promotionId });
}

// SPEC P1 C4
it('come back from the ledger under their refs, new ones and changed ones', async () => {
  const changed = await createActive('changed');
  const lost = await createActive('lost');
  await staff.deactivate({ promotionId: 'changed' });
  await archive();
  await forgetPromotion(ports.sql, 'lost');
  await forgetPromotion(ports.sql, 'changed', changed.version);
  const looked = await rebuild(false);
  expect(looked.outcome).toBe('only looked');
  expect(looked.lines).toEqual([
    'promotion changed: the ledger has version 3, Postgres has version 2',
    'promotion lost: the ledger has version 2, Postgres does not have it',
  ]);
  expect((await rebuild(true)).outcome).toBe('rebuilt');
  expect(await staff.get({ promotionId: 'lost' })).toMatchObject({ ref: lost.ref, version: 2 });
  expect(await staff.get({ promotionId: 'changed' })).toMatchObject({ ref: changed.ref, version: 3 });
  expect((await rebuild(true)).outcome).toBe('nothing to do');
});

it('leave their refs to nobody else, before and after they are back', async () => {
  const lost = await createActive('alone');
  await archive();
  await forgetPromotion(ports.sql, 'alone');
  await ports.sql`select setval('promotion_ref', ${lost.ref}, false)`;
  const other = await staff.create({ promotionId: 'other' });
  expect(other.ref).toBeGreaterThan(lost.ref);
  await archive();
  await rebuild(true);
  expect(await staff.get({ promotionId: 'alone' })).toMatchObject({ ref: lost.ref });
  expect((await staff.create({ promotionId: 'another' })).ref).toBeGreaterThan(other.ref);
});

it('say which id or ref was given away meanwhile, and bring back the others', async () => {
  const cuckoo = await createActive('cuckoo');
  await createActive('taken');
  await createActive('free');
  for (const id of ['cuckoo', 'taken', 'free']) await forgetPromotion(ports.sql, id);
  // Before the archive has caught up nobody in Postgres knows which refs the ledger has.
  await ports.sql`select setval('promotion_ref', ${cuckoo.ref}, false)`;
  await staff.create({ promotionId: 'stranger' });
  await archive();
  await staff.create({ promotionId: 'taken' });
  const { outcome, lines } = await rebuild(true);
  expect(outcome).toBe('refused');
  expect(lines).toContain(
    'promotion taken: its id was given to another one meanwhile; it stays in the ledger only',
  );
  expect(lines).toContain(
    'promotion cuckoo: its ref was given to promotion stranger meanwhile; it stays in the ledger only',
  );
  expect(await staff.get({ promotionId: 'free' })).toMatchObject({ version: 2 });
});
