/** Random carts and users. Items, categories and prices are few, so that much is equal and much is shared. */
import fc from 'fast-check';
import type { AttributeValue, Cart, CartLine, ItemOffer, UserFacts } from '../../src/domain/cart.ts';
import { known, maybe, mostly } from './random-chances.ts';
import type { Scale } from './random-effects.ts';
import { CATEGORY_IDS, ITEM_IDS, TAGS } from './random-rules.ts';

const MS_PER_DAY = 86_400_000;

/** The moment of all random situations: a Friday, 23:30 in Shanghai; New York and Berlin are on winter time. */
export const AT_MS = Date.parse('2026-03-06T15:30:00Z');

const prices = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 20 }) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 99 }) },
  { weight: 2, arbitrary: fc.constantFrom(10, 25, 30) },
);

const lineBodies = (scale: Scale) =>
  fc.record({
    itemId: fc.constantFrom(...ITEM_IDS),
    categoryIds: fc.subarray([...CATEGORY_IDS], { maxLength: 2 }),
    quantity: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 6 })),
    unitPriceMinor: prices.map(scale),
    isOnSale: fc.oneof(
      { weight: 3, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
  });

function lineLists({ maxLines, scale }: OrderSize): fc.Arbitrary<CartLine[]> {
  const body = lineBodies(scale);
  const ids = fc.shuffledSubarray(['1', '2', '9', '10', 'b', 'aa'], {
    minLength: maxLines,
    maxLength: maxLines,
  });
  const bodies = fc.oneof(
    { weight: 1, arbitrary: fc.array(body, { maxLength: 1 }) },
    { weight: 9, arbitrary: fc.array(body, { minLength: 1, maxLength: maxLines }) },
  );
  return fc
    .tuple(ids, bodies)
    .map(([lineIds, lines]) => lines.map((line, at) => ({ lineId: lineIds[at] ?? `${at}`, ...line })));
}
const attributeValues = maybe<AttributeValue>('large', 'small', 1, 4, 7, true, false);

function attributesOf(value: AttributeValue | undefined): Map<string, AttributeValue> {
  return new Map(value === undefined ? [] : [['table_size', value]]);
}

/** How many lines a cart has at most, and how dear they are. */
export interface OrderSize {
  readonly maxLines: number;
  /** Makes the prices. */
  readonly scale: Scale;
}

/** Carts of a few lines in every order, some on sale, some free. */
export function carts(size: OrderSize): fc.Arbitrary<Cart> {
  return fc
    .record({
      lines: lineLists(size),
      shippingMinor: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 }).map(size.scale)),
      currency: mostly('CNY', 'JPY', 'KWD'),
      facts: fc.record({
        channel: maybe('app', 'web'),
        region: maybe('CN-SH', 'CN-BJ'),
        paymentMethod: maybe('wechat_pay', 'card'),
      }),
      attribute: attributeValues,
    })
    .map(({ facts, attribute, ...cart }) => ({
      ...cart,
      ...known(facts),
      taxMode: 'included',
      attributes: attributesOf(attribute),
    }));
}

/** Users of whom something is known or nothing. */
export const users: fc.Arbitrary<UserFacts> = fc
  .record({
    tags: fc.option(fc.subarray([...TAGS]), { nil: undefined }),
    ordersCompleted: maybe(0, 1, 2, 5),
    registeredAtMs: maybe(AT_MS - 7 * MS_PER_DAY, AT_MS - 7 * MS_PER_DAY + 1, AT_MS - 40 * MS_PER_DAY),
    level: maybe<string>(...TAGS, 'gold'),
    birthday: maybe('1990-03-31', '2000-12-01'),
    attribute: attributeValues,
  })
  .map(({ tags, attribute, ...facts }) => ({
    ...known(facts),
    ...(tags === undefined ? {} : { tags: new Set<string>(tags) }),
    ...(attribute === undefined ? {} : { attributes: attributesOf(attribute) }),
  }));

/** What the caller knows of items that may be given. */
export const offers: fc.Arbitrary<Map<string, ItemOffer>> = fc
  .uniqueArray(
    fc.record({
      itemId: fc.constantFrom(...ITEM_IDS, 'gift'),
      unitPriceMinor: fc.integer({ min: 0, max: 40 }),
      isAvailable: fc.boolean(),
    }),
    { maxLength: 3, selector: ({ itemId }) => itemId },
  )
  .map((list) => new Map(list.map(({ itemId, ...offer }) => [itemId, offer])));
