import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { type RuleFault, RuleTable } from '../engine/rule-table.ts';
import { PromotionSchema, PromotionState } from '../gen/hongbao/v1/promotion_pb.ts';
import { readPromotion } from './read-promotion.ts';
import { RuleFollower } from './rule-follower.ts';
import { RuleLog, RuleLogReader } from './rule-log.ts';

function body(ref: number, version: number): Uint8Array {
  const promotion = create(PromotionSchema, {
    promotionId: `p-${ref}`,
    ref,
    version,
    state: PromotionState.ACTIVE,
    currency: 'CNY',
    effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 100n } } },
    reach: { way: { case: 'automatic', value: {} } },
  });
  return toBinary(PromotionSchema, promotion);
}

function followed() {
  const log = new RuleLog();
  const table = new RuleTable();
  const reports: RuleFault[][] = [];
  const follower = new RuleFollower({
    reader: new RuleLogReader(log.memory),
    table,
    readPromotion,
    caughtUp: (faults) => reports.push([...faults]),
  });
  return { log, table, reports, follower };
}

test('a new thread takes the whole rule set and says that it is ready, also when there is none', () => {
  const { log, table, reports, follower } = followed();
  follower.catchUpWholly();
  expect(reports).toEqual([[]]);
  for (let ref = 1; ref <= 2_500; ref += 1) {
    log.append({ ref, ruleSetVersion: ref, isDeleted: false, body: body(ref, 1) });
  }
  log.publish();
  follower.catchUpWholly();
  expect(table).toMatchObject({ size: 2_500, version: 2_500 });
  expect(reports).toHaveLength(2);
});

test('deleted promotions leave, and what cannot be read is a fault that leaves the last good version', () => {
  const { log, table, reports, follower } = followed();
  log.append({ ref: 1, ruleSetVersion: 1, isDeleted: false, body: body(1, 1) });
  log.append({ ref: 2, ruleSetVersion: 2, isDeleted: false, body: body(2, 1) });
  log.append({ ref: 1, ruleSetVersion: 3, isDeleted: true, body: body(1, 2) });
  log.append({ ref: 2, ruleSetVersion: 4, isDeleted: false, body: Buffer.from('ffff', 'hex') });
  const effectless = create(PromotionSchema, { promotionId: 'p-2', ref: 2, version: 3 });
  log.append({ ref: 2, ruleSetVersion: 5, isDeleted: false, body: toBinary(PromotionSchema, effectless) });
  log.publish();
  follower.catchUpWholly();
  expect(table).toMatchObject({ size: 1, version: 5 });
  expect(table.currentOf(2)?.definition.version).toBe(1);
  expect(reports[0]?.map(({ promotionId, version, field }) => [promotionId, version, field])).toEqual([
    ['', 0, ''],
    ['p-2', 3, 'effect'],
    ['p-2', 3, 'reach'],
  ]);
});
