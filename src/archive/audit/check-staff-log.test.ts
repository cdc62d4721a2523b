/** SPEC S1: nobody can change what staff did without being found out. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { definitionPorts, SwitchableLedger, staffOf } from '../../../test/definition-fixture.ts';
import type { Sql } from '../../database/client.ts';
import { checkStaffLog } from './check-staff-log.ts';

const PROMOTIONS = 12;

let database: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  database = await createTestDatabase();
  const ports = definitionPorts(database.url, new SwitchableLedger());
  ({ sql } = ports);
  const staff = staffOf(ports);
  await Promise.all(
    Array.from({ length: PROMOTIONS }, async () => {
      const { promotionId } = await staff.create({});
      await staff.activate({ promotionId });
    }),
  );
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

/** What the check finds after a change by the owner of the schema, which is taken back. */
async function foundAfter(change: (sql: Sql) => Promise<unknown>): Promise<readonly string[]> {
  const undo = new Error('undo');
  let found: readonly string[] = [];
  await sql
    .begin(async (transaction) => {
      const own = transaction as unknown as Sql;
      await own`ALTER TABLE audit_entry DISABLE TRIGGER USER`;
      await change(own);
      found = (await checkStaffLog(own)).breaches;
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  return found;
}

const fifth = (own: Sql) => own`(SELECT id FROM audit_entry ORDER BY id OFFSET 4 LIMIT 1)`;

test('entries that were written at the same time are one chain', async () => {
  const { breaches, figures, notes } = await checkStaffLog(sql);
  expect(breaches).toEqual([]);
  expect(figures).toEqual({ entries: 2 * PROMOTIONS });
  expect(notes).toEqual([expect.stringMatching(/^entry \d+ is the newest: [0-9a-f]{64}$/)]);
});

test('several entries of one statement are one chain as well', async () => {
  const breaches = await foundAfter(async (own) => {
    await own`ALTER TABLE audit_entry ENABLE TRIGGER USER`;
    await own`
      INSERT INTO audit_entry (ref, at, actor, action, from_version, to_version, reason, changed_fields, also_issued, request_id)
      SELECT ref, now(), 'mia', 'coupons_revoked', version, version, '', '{a,b}', false, id FROM promotion`;
    expect((await checkStaffLog(own)).figures).toEqual({ entries: 3 * PROMOTIONS });
  });
  expect(breaches).toEqual([]);
});

test.each<[string, (own: Sql) => Promise<unknown>]>([
  ['changed', (own) => own`UPDATE audit_entry SET actor = 'somebody' WHERE id = ${fifth(own)}`],
  ['dated back', (own) => own`UPDATE audit_entry SET at = at - interval '1 us' WHERE id = ${fifth(own)}`],
  ['taken out', (own) => own`DELETE FROM audit_entry WHERE id = ${fifth(own)}`],
  [
    'put in',
    (own) => own`
      INSERT INTO audit_entry (ref, at, actor, action, to_version, reason, changed_fields, also_issued, request_id, hash)
      SELECT ref, at, actor, action, to_version, reason, changed_fields, also_issued, request_id, hash
      FROM audit_entry WHERE id = ${fifth(own)}`,
  ],
  [
    'changed with its hash',
    (own) => own`
      UPDATE audit_entry e SET actor = 'somebody', hash = sha256('somebody'::bytea) WHERE id = ${fifth(own)}`,
  ],
])('an entry that was %s is found', async (_, change) => {
  expect((await foundAfter(change)).length).toBeGreaterThan(0);
});
