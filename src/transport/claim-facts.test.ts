import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { PromotionSchema } from '../gen/hongbao/v1/promotion_pb.ts';
import { completedFacts, lacksFacts } from './claim-facts.ts';

const tagged = create(PromotionSchema, {
  target: { audience: { case: 'taggedUsers', value: { anyOfTags: ['vip'] } } },
});
const newcomers = create(PromotionSchema, { target: { audience: { case: 'newUsers', value: {} } } });
const recent = create(PromotionSchema, {
  target: { audience: { case: 'newUsers', value: { registeredWithinDays: 3 } } },
});

// SPEC S2
describe('facts of a claim', () => {
  it('are missing only where the promotion asks for what nobody stated', () => {
    expect(lacksFacts(create(PromotionSchema), undefined)).toBe(false);
    expect(lacksFacts(undefined, undefined)).toBe(false);
    expect(lacksFacts(tagged, undefined)).toBe(true);
    expect(lacksFacts(tagged, { tags: ['x'] })).toBe(false);
    expect(lacksFacts(newcomers, { tags: ['x'], registeredAtMs: 1 })).toBe(true);
    expect(lacksFacts(newcomers, { tags: [], ordersCompleted: 2 })).toBe(false);
    expect(lacksFacts(recent, { tags: [], ordersCompleted: 0 })).toBe(true);
    expect(lacksFacts(recent, { tags: [], registeredAtMs: 1 })).toBe(false);
  });

  it('that are stated go before those that are kept', () => {
    const kept = { tags: ['kept'], ordersCompleted: 3, registeredAtMs: 7 };
    expect(completedFacts({ tags: [], ordersCompleted: 0 }, kept)).toEqual({ ...kept, ordersCompleted: 0 });
    expect(completedFacts({ tags: ['said'] }, kept)?.tags).toEqual(['said']);
    expect(completedFacts(undefined, kept)).toBe(kept);
    expect(completedFacts(undefined, undefined)).toBeUndefined();
  });
});
