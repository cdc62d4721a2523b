import { array, assert, constantFrom, oneof, property, string } from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { sampleLine } from '../../../test/engine/sample-input.ts';
import { failureOf, type RuleQuestion } from '../../../test/engine/sample-rule-context.ts';
import type { CartLine, UserFacts } from '../../domain/cart.ts';
import type { Failure } from '../../domain/decision.ts';
import { compileExpression } from './compile-expression.ts';

const AT = Date.parse('2026-07-05T20:30:15Z');
const FACTS: UserFacts = {
  tags: new Set(['vip', 'north']),
  ordersCompleted: 3,
  registeredAtMs: AT - 30.5 * 86_400_000,
  attributes: new Map<string, string | number | boolean>([['level', 4]]),
};
const LINES: readonly CartLine[] = [
  sampleLine({ lineId: '1', itemId: 'duck', categoryIds: ['mains', 'hot'], unitPriceMinor: 12_000 }),
  sampleLine({
    lineId: '2',
    itemId: 'rice',
    categoryIds: ['sides'],
    quantity: 2,
    unitPriceMinor: 1500,
    isOnSale: true,
  }),
];
const QUESTION: RuleQuestion = {
  atMs: AT,
  facts: FACTS,
  cart: {
    lines: LINES,
    shippingMinor: 600,
    channel: 'app',
    attributes: new Map<string, string | number | boolean>([
      ['table', 'window'],
      ['guests', 4],
      ['member', true],
      ['tier.name', 'gold'],
    ]),
  },
};

function answer(
  expression: string,
  question: RuleQuestion = QUESTION,
): Omit<Failure, 'ruleIndex'> | undefined {
  const failure = failureOf({ kind: 'cel', expression }, question);
  if (failure === undefined) return undefined;
  const { ruleIndex, ...rest } = failure;
  expect(ruleIndex).toBe(0);
  return rest;
}

const manyLines = (count: number): RuleQuestion => ({
  cart: {
    lines: Array.from({ length: count }, (_, at) =>
      sampleLine({ lineId: `${at}`, itemId: `item-${at}`, unitPriceMinor: 1 }),
    ),
  },
});

// SPEC P10
describe('expressions', () => {
  test.each([
    'cart.subtotal_minor == 15000 && cart.units == 3 && cart.shipping_minor == 600',
    'cart.currency == "CNY" && cart.channel == "app"',
    'cart.lines.size() == 2 && size(cart.lines[0].category_ids) == 2',
    'cart.lines.exists(line, line.item_id == "duck" && "hot" in line.category_ids)',
    'cart.lines.all(line, line.unit_price_minor >= 1500 && line.quantity <= 2)',
    'cart.lines.exists_one(line, line.on_sale)',
    'cart.lines.filter(line, !line.on_sale).map(line, line.amount_minor).sum() == 12000',
    'cart.lines.map(line, line.on_sale, line.amount_minor) == [3000]',
    'cart.lines.exists(line, line.category_ids.exists(category, category.startsWith("ma")))',
    '[].sum() == 0 && [1, 2, 3].sum() == 6',
    'cart.attributes.table == "window" && cart.attributes.guests >= 4 && cart.attributes.member',
    'cart.attributes["tier.name"] == "gold"',
    'cart.attributes.exists(name, name.endsWith("guests"))',
    'user.attributes.level in [3, 4]',
    '"vip" in user.tags && user.tags.size() == 2',
    'user.orders_completed == 3 && user.registered_days == 30',
    'has(user.registered_days) && !has(cart.region) && !has(cart.attributes.nothing)',
    'has(cart.region) ? cart.region == "CN" : cart.units > 2',
    'cart.channel == "app" || cart.region == "CN"',
    'at.getDayOfWeek() == 0 && at.getHours() == 20 && at.getMinutes() == 30 && at.getSeconds() == 15',
    'at.getDayOfWeek("Asia/Shanghai") == 1 && at.getHours("Asia/Shanghai") == 4',
    'at.getFullYear() == 2026 && at.getMonth() == 6 && at.getDate() == 5 && at.getDayOfYear() == 185',
    'at < timestamp("2026-07-06T00:00:00Z") && at - timestamp("2026-07-05T00:00:00Z") > duration("20h")',
    'double(cart.units) * 1.5 > 4.0 && string(cart.units) == "3" && int("3") == cart.units',
    '{"app": 1, "web": 2}["app"] == 1 && cart.units % 2 == 1 && -cart.units < 0',
    'cart.attributes.member',
  ])('holds: %s', (expression) => {
    expect(answer(expression)).toBeUndefined();
  });

  test.each([
    ['cart.units > 3', { reason: 'EXPRESSION_FALSE' }],
    ['cart.region == "CN"', { reason: 'FACT_MISSING', needed: 'region' }],
    ['cart.region == "CN" || cart.units > 3', { reason: 'FACT_MISSING', needed: 'region' }],
    ['cart.attributes.floor == 2', { reason: 'FACT_MISSING', needed: 'floor' }],
    ['cart.attributes.table', { reason: 'EXPRESSION_FAILED', seen: 'the result is no bool' }],
    ['{"a": 1}["b"] == 1', { reason: 'EXPRESSION_FAILED', seen: 'a key that the map does not have' }],
    ['cart.units / (cart.units - 3) == 1', { reason: 'EXPRESSION_FAILED', seen: 'a division by zero' }],
    [
      'cart.lines[5].quantity == 1',
      { reason: 'EXPRESSION_FAILED', seen: 'a place that the list does not have' },
    ],
    [
      'cart.attributes.table > 3',
      { reason: 'EXPRESSION_FAILED', seen: 'a value of another type than the expression needs' },
    ],
    [
      '9223372036854775807 + cart.units > 0',
      { reason: 'EXPRESSION_FAILED', seen: 'a number or time out of range' },
    ],
    ['int(cart.channel) == 1', { reason: 'EXPRESSION_FAILED', seen: 'a value that cannot be converted' }],
  ] as const)('does not hold: %s', (expression, failure) => {
    expect(answer(expression)).toEqual(failure);
  });

  // SPEC R8
  test.each([
    ['"vip" in user.tags', 'tags'],
    ['user.orders_completed < 3', 'orders_completed'],
    ['user.registered_days < 30', 'registered_at'],
    ['user.attributes.level > 1', 'level'],
  ])('of somebody unknown, %s misses %s', (expression, fact) => {
    expect(answer(expression, {})).toEqual({ reason: 'FACT_MISSING', needed: fact });
  });

  test.each([
    ['cart.subtotl_minor > 1', /does not have: subtotl_minor/],
    ['basket.units > 1', /unknown name: basket/],
    ['cart.units', /is a int/],
    ['cart.channel', /is a string/],
    ['cart', /is a cart/],
    ['cart.units == "3"', /compares int with string/],
    ['cart.units > "3"', /uses > on int, string/],
    ['cart.lines > 3', /uses > on list of line, int/],
    ['cart.lines.item_id == "a"', /field: item_id/],
    ['cart.channel.size().x == 1', /field: x/],
    ['cart.units && true', /needs a bool/],
    ['!cart.units', /uses ! on int/],
    ['cart.units ? true : false', /needs a bool/],
    ['true ? 1 : cart.lines', /either int or list/],
    ['cart.exists(x, true)', /loops over cart/],
    ['"vip" in cart.channel', /looks for string in string/],
    ['1 in user.tags', /looks for int in list of string/],
    ['cart["units"] == 1', /in brackets/],
    ['user.tags["vip"]', /in brackets/],
    ['user.tags.sum() == 1', /sums up a list of string/],
    ['cart.channel.matches("a+")', /unknown function: matches/],
    ['constructor(1)', /unknown function: constructor/],
    ['type(1) == int', /unknown/],
    ['b"a" == b"a"', /bytes/],
    ['google.protobuf.Timestamp{seconds: 1} == at', /makes a message/],
    ['{1: 2}.size() == 1', /no string/],
    ['[1, [2]].size() == 1', /into one collection/],
    ['at.getHours("Mars/Olympus") == 1', /unknown IANA time zone/],
    ['at.getHours(cart.channel) == 1', /literal time zone/],
    ['cart.', /does not parse/],
    ['', /does not parse/],
    [`${'('.repeat(30)}true${')'.repeat(30)}`, /brackets/],
    [`true${' '.repeat(4000)}`, /characters/],
    [`true${' && true'.repeat(250)}`, /too long/],
    ['cart.lines.exists(a, cart.lines.exists(b, cart.lines.exists(c, true)))', /loops in each other/],
  ])('is refused: %s', (expression, fault) => {
    expect(compileExpression(expression).fault).toMatch(fault);
  });
});

// SPEC P10: bounded in cost
describe('the cost of an expression', () => {
  const gathered = 'cart.lines.filter(line, line.quantity > 0).map(line, line.amount_minor).sum() == 5000';
  const pairs = 'cart.lines.all(a, cart.lines.exists(b, a.item_id == b.item_id))';

  it('a loop over 5,000 lines runs, and so do loops over what it gathered', () => {
    expect(answer(gathered, manyLines(5000))).toBeUndefined();
  });

  it('a loop in a loop runs over few lines and fails at once over many', () => {
    expect(answer(pairs, manyLines(20))).toBeUndefined();
    const failure = answer(pairs, manyLines(5000));
    expect(failure?.reason).toBe('EXPRESSION_FAILED');
    expect(failure?.seen).toMatch(/steps on this cart; at most 200000/);
  });

  test.each([
    'cart.lines.exists(a, a in cart.lines)',
    'cart.lines.exists(a, cart.lines == cart.lines)',
    'cart.lines.exists(a, cart.lines.map(b, b.quantity).sum() == 0)',
    'cart.lines.exists(a, a.item_id in cart.lines.map(b, b.item_id))',
    '[1, 2].exists(n, cart.lines.exists(a, a in cart.lines))',
  ])('hidden loops count: %s', (expression) => {
    expect(answer(expression, manyLines(3000))?.seen).toMatch(/steps/);
  });

  it('whatever is gathered in one loop is not seen from another', () => {
    const twice = 'cart.lines.map(a, [1, 2].map(n, n).sum()).sum() == 6 && [1].map(n, n) + [2] == [1, 2]';
    expect(answer(twice)).toBeUndefined();
    expect(answer('[1, 2].map(n, n + 1).map(n, n + 1) == [3, 4]')).toBeUndefined();
  });
});

describe('an expression nobody meant (SPEC P10)', () => {
  const words = constantFrom(
    ...[
      'cart',
      'user',
      'at',
      '.',
      'lines',
      'units',
      'tags',
      'exists',
      '(',
      ')',
      '[',
      ']',
      'x',
      ',',
      '==',
      '+',
      '-',
    ],
    ...[
      '1',
      '"a"',
      '!',
      '&&',
      '||',
      '?',
      ':',
      '{',
      '}',
      'in',
      'has',
      'map',
      'filter',
      'sum',
      'true',
      'null',
      '1.5',
      '3u',
    ],
    ...[
      'cart.lines',
      'user.attributes.a',
      'size',
      'int',
      'duration("1h")',
      'getHours',
      '@result',
      '__proto__',
      'constructor',
    ],
  );
  const texts = oneof(
    array(words, { maxLength: 14 }).map((parts) => parts.join('')),
    array(words, { maxLength: 14 }).map((parts) => parts.join(' ')),
    string({ maxLength: 40 }),
  );

  it('is refused or answered, and never throws', () => {
    assert(
      property(texts, (text) => {
        const { fault } = compileExpression(text);
        const reason = fault === undefined ? answer(text)?.reason : 'refused';
        expect(['refused', undefined, 'EXPRESSION_FALSE', 'EXPRESSION_FAILED', 'FACT_MISSING']).toContain(
          reason,
        );
      }),
      { numRuns: 3000 },
    );
  });
});
