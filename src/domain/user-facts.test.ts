import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttributeValue } from './cart.ts';
import { CorruptRecordError } from './record-json.ts';
import {
  decodeUserFacts,
  encodeUserFacts,
  type FactsStatement,
  factsForDecisions,
  MAX_STORED_ATTRIBUTES,
  mergeFacts,
  NO_FACTS,
  type StoredFacts,
  withInviter,
  withOrders,
} from './user-facts.ts';
import { countOrder, NO_ORDERS, ordersCompletedOf, stateOrders, uncountOrder } from './user-facts-orders.ts';

const stated = (atMs: number, facts: Partial<FactsStatement>): FactsStatement => ({
  atMs,
  whole: false,
  attributes: new Map(),
  ...facts,
});

/** What the facts say, whatever path led to them. */
const saying = (facts: StoredFacts) => ({ ...decodeUserFacts(encodeUserFacts(facts)), revision: 0 });

// SPEC S2
describe('facts about a user', () => {
  it('keep, fact by fact, the statement of the latest moment', () => {
    const late = mergeFacts(NO_FACTS, stated(20, { level: 'gold', tags: ['a'] }));
    const merged = mergeFacts(late, stated(10, { level: 'silver', birthday: '1990-02-29' }));
    expect(merged).toMatchObject({ level: 'gold', tags: ['a'], birthday: '1990-02-29', revision: 2 });
  });

  it('are the same object when a statement says nothing new', () => {
    const known = mergeFacts(NO_FACTS, stated(20, { level: 'gold' }));
    expect(mergeFacts(known, stated(20, { level: 'gold' }))).toBe(known);
    expect(mergeFacts(known, stated(5, { level: 'tin' }))).toBe(known);
  });

  it('forget what a whole statement does not give, but neither orders nor the inviter', () => {
    const counted = withInviter(withOrders(NO_FACTS, countOrder(NO_ORDERS, 5)), 'ivy');
    const known = mergeFacts(counted, stated(10, { tags: ['a'], level: 'gold' }));
    const whole = mergeFacts(known, stated(20, { whole: true, level: 'tin' }));
    expect(whole).toMatchObject({ level: 'tin', ordersCompleted: 1, inviterUserId: 'ivy' });
    expect(whole.tags).toBeUndefined();
    expect(mergeFacts(whole, stated(15, { tags: ['late'] })).tags).toBeUndefined();
  });

  it('keep the first inviter', () => {
    expect(withInviter(withInviter(NO_FACTS, 'ivy'), 'joe').inviterUserId).toBe('ivy');
  });

  it('keep the attributes stated last, up to the limit', () => {
    const attributes = new Map(
      Array.from({ length: MAX_STORED_ATTRIBUTES }, (_, index) => [`n${index}`, index]),
    );
    const known = mergeFacts(
      mergeFacts(NO_FACTS, stated(1, { attributes: new Map([['old', 1]]) })),
      stated(2, { attributes }),
    );
    expect(known.attributes.size).toBe(MAX_STORED_ATTRIBUTES);
    expect(known.attributes.has('old')).toBe(false);
  });

  it('read what they wrote, and refuse other bytes', () => {
    const facts = mergeFacts(
      NO_FACTS,
      stated(7, {
        tags: ['vip'],
        level: 'gold',
        registeredAtMs: 3,
        birthday: '2000-01-01',
        ordersCompleted: 4,
        attributes: new Map<string, AttributeValue>([
          ['age', 30],
          ['club', true],
          ['city', '上海'],
        ]),
      }),
    );
    expect(decodeUserFacts(encodeUserFacts(facts))).toEqual(facts);
    expect(factsForDecisions(facts)).toMatchObject({
      tags: new Set(['vip']),
      level: 'gold',
      birthday: '2000-01-01',
      ordersCompleted: 4,
      registeredAtMs: 3,
    });
    expect(() => decodeUserFacts(Buffer.from('{"v":2}'))).toThrow(CorruptRecordError);
    expect(() => decodeUserFacts(Buffer.from('no'))).toThrow(CorruptRecordError);
  });

  it('are the same whatever the order of the statements', () => {
    const statement = fc.record(
      {
        atMs: fc.integer({ min: 0, max: 4 }),
        whole: fc.boolean(),
        level: fc.constantFrom('tin', 'gold'),
        tags: fc.subarray(['a', 'b']),
        ordersCompleted: fc.integer({ min: 0, max: 3 }),
        attributes: fc
          .dictionary(fc.constantFrom('x', 'y'), fc.integer())
          .map((all) => new Map(Object.entries(all))),
      },
      { requiredKeys: ['atMs', 'whole', 'attributes'] },
    );
    const shuffled = fc
      .array(statement, { maxLength: 6 })
      .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(saying(other.reduce(mergeFacts, NO_FACTS))).toEqual(saying(one.reduce(mergeFacts, NO_FACTS)));
      }),
    );
  });
});

// SPEC S2
describe('the number of orders', () => {
  it('is what was stated and the orders completed after that, in any order of arrival', () => {
    const orders = [5, 15, 25];
    const before = stateOrders(orders.reduce(countOrder, NO_ORDERS), 7, 10);
    const after = orders.reduce(countOrder, stateOrders(NO_ORDERS, 7, 10));
    expect(ordersCompletedOf(before)).toBe(9);
    expect(before).toEqual(after);
  });

  it('loses an order that fell through, unless a statement holds it', () => {
    expect(ordersCompletedOf(uncountOrder(countOrder(NO_ORDERS, 5), 5))).toBe(0);
    expect(ordersCompletedOf(uncountOrder(stateOrders(countOrder(NO_ORDERS, 5), 3, 10), 5))).toBe(3);
  });

  it('takes no earlier statement for the present', () => {
    expect(ordersCompletedOf(stateOrders(stateOrders(NO_ORDERS, 7, 10), 2, 5))).toBe(7);
  });

  it('goes on counting beyond the moments kept', () => {
    const many = Array.from({ length: 40 }, (_, index) => index + 1).reduce(countOrder, NO_ORDERS);
    expect(ordersCompletedOf(many)).toBe(40);
    expect(many.recentMs).toHaveLength(32);
  });
});
