import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { PromotionSchema, PromotionState } from '../gen/hongbao/v1/promotion_pb.ts';
import { RuleSetEntry } from './rule-set-entry.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const stored = create(PromotionSchema, {
  promotionId: 'spring',
  ref: 7,
  version: 3,
  priority: 4,
  state: PromotionState.INACTIVE,
  reach: { way: { case: 'claimable', value: {} } },
  schedule: { activateAt: { seconds: 86_400n } },
});

function entryOf(promotion = stored): RuleSetEntry {
  return new RuleSetEntry({ body: Buffer.from(toBinary(PromotionSchema, promotion)) });
}

test('tells what is asked of all promotions', () => {
  expect(entryOf()).toMatchObject({
    ref: 7,
    id: 'spring',
    version: 3,
    state: 'inactive',
    way: 'claimable',
    activateAtMs: 86_400_000,
  });
  const bare = entryOf(create(PromotionSchema, { state: PromotionState.ACTIVE }));
  expect(bare).toMatchObject({ state: 'active', way: undefined, activateAtMs: undefined });
});

test('keeps the whole promotion while somebody holds it, and decodes it again after', async () => {
  const entry = entryOf();
  const held = entry.promotion;
  await nextTurn();
  collectGarbage();
  expect(entry.promotion).toBe(held);

  const others = Array.from({ length: 50 }, () => entryOf());
  const gone = others.map(({ promotion }) => new WeakRef(promotion));
  await nextTurn();
  collectGarbage();
  expect(gone.filter((each) => each.deref() !== undefined).length).toBeLessThan(25);
  expect(others.map(({ promotion }) => promotion)).toEqual(others.map(() => stored));
});
