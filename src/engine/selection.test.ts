import { array, assert, constantFrom, property, record, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleCart, sampleLine } from '../../test/engine/sample-input.ts';
import type { ItemSelection } from '../domain/promotion.ts';
import { prepareCart } from './prepared-cart.ts';
import { compileSelection, isPresent } from './selection.ts';
import { Vocabulary } from './vocabulary.ts';

const IDS = Array.from({ length: 24 }, (_, at) => `id-${at}`);
const anId = constantFrom(...IDS);
const someLines = array(record({ itemId: anId, categoryIds: uniqueArray(anId, { maxLength: 3 }) }), {
  maxLength: 12,
});
const aSelection = record({
  itemIds: uniqueArray(anId, { maxLength: 14 }),
  categoryIds: uniqueArray(anId, { maxLength: 14 }),
});

type Line = { readonly itemId: string; readonly categoryIds: readonly string[] };

function matched(lines: readonly Line[], selection: ItemSelection) {
  const vocabulary = new Vocabulary();
  const matcher = compileSelection(selection, vocabulary);
  const cart = prepareCart(
    sampleCart({
      lines: lines.map((line, at) => sampleLine({ ...line, lineId: String(at).padStart(2, '0') })),
    }),
    vocabulary,
  );
  const isIn = (line: Line): boolean =>
    selection.itemIds.includes(line.itemId) ||
    line.categoryIds.some((id) => selection.categoryIds.includes(id));
  return { matcher, cart, expected: lines.flatMap((line, place) => (isIn(line) ? [place] : [])) };
}

// SPEC R2–R4
describe('a compiled selection', () => {
  it('finds the lines that are in it, whether it names few or many', () => {
    assert(
      property(someLines, aSelection, (lines, selection) => {
        const { matcher, cart, expected } = matched(lines, selection);
        expect(matcher.linesOf(cart)).toEqual(expected);
        expect(matcher.firstOf(cart)).toBe(expected[0] ?? -1);
      }),
    );
  });

  it('tells whether any, or every one, of what it names is in the cart', () => {
    assert(
      property(someLines, aSelection, (lines, selection) => {
        const { matcher, cart, expected } = matched(lines, selection);
        const items = new Set(lines.map(({ itemId }) => itemId));
        const categories = new Set(lines.flatMap(({ categoryIds }) => categoryIds));
        expect(isPresent(matcher.keys, 'any', cart)).toBe(expected.length > 0);
        expect(isPresent(matcher.keys, 'all', cart)).toBe(
          selection.itemIds.every((id) => items.has(id)) &&
            selection.categoryIds.every((id) => categories.has(id)),
        );
      }),
    );
  });

  it('never matches what no promotion names', () => {
    const { matcher, cart } = matched([{ itemId: 'x', categoryIds: ['y'] }], {
      itemIds: ['a'],
      categoryIds: [],
    });
    expect(cart.itemKeys[0]).toBe(-1);
    expect(matcher.linesOf(cart)).toEqual([]);
  });

  it('keeps what is named twice once', () => {
    const { keys } = compileSelection({ itemIds: ['a', 'a'], categoryIds: [] }, new Vocabulary());
    expect(keys).toEqual({ items: [0], categories: [] });
  });
});
