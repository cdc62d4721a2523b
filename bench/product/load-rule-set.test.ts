import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type Sql } from '../../src/database/client.ts';
import { requireValid } from '../../src/definitions/require-valid.ts';
import { promotionDefinition } from '../../src/evaluation/codec/promotion-definition.ts';
import { PromotionSchema } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { loadChanges } from '../../src/ruleset/load-changes.ts';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { ruleSet } from '../rule-sets/rule-set.ts';
import { couponPromotions } from '../rule-sets/wallets.ts';
import { loadRuleSet } from './load-rule-set.ts';

let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = createDatabase(database.url, {
    applicationName: 'test',
    maxConnections: 1,
    statementTimeoutMs: 10_000,
    connectTimeoutMs: 10_000,
  });
});

afterAll(async () => {
  await sql.end();
  await database.drop();
});

test('a rule set loaded at once is read by the service as if it had been created call by call', async () => {
  const rules = ruleSet(1_200);
  const coupons = couponPromotions(30).map((promotion) => ({
    ...promotion,
    ref: promotion.ref + 10_000,
    id: `coupon-${promotion.ref}`,
  }));
  const definitions = [...rules, ...coupons];
  const { version, refs } = await loadRuleSet(database.url, definitions);
  const { entries, version: last } = await loadChanges(sql, 0, 5_000, Date.now() + 10_000);
  expect(last).toBe(version);
  expect(entries.map(({ id }) => id)).toEqual(definitions.map(({ id }) => id));
  expect(entries.map(({ ref }) => ref)).toEqual(definitions.map(({ ref }) => refs.get(ref)));
  for (const [index, { ref, promotion, state }] of entries.entries()) {
    expect(state).toBe('active');
    expect(promotionDefinition(promotion)).toEqual({ definition: { ...definitions[index], ref } });
    expect(() => requireValid(PromotionSchema, promotion, promotion)).not.toThrow();
  }
});
