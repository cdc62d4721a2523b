import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleDefinition } from '../../../test/engine/sample-definition.ts';
import { SAMPLE_AT_MS, sampleCart, sampleLine } from '../../../test/engine/sample-input.ts';
import type { ItemSelection, PromotionDefinition } from '../../domain/promotion.ts';
import { prepareCart } from '../prepared-cart.ts';
import { RuleTable } from '../rule-table.ts';

const AT = SAMPLE_AT_MS;

const someIds = (prefix: string) =>
  fc.uniqueArray(
    fc.integer({ min: 0, max: 5 }).map((n) => `${prefix}${n}`),
    { maxLength: 3 },
  );

const selections: fc.Arbitrary<ItemSelection> = fc
  .record({ itemIds: someIds('i'), categoryIds: someIds('c') })
  .filter(({ itemIds, categoryIds }) => itemIds.length + categoryIds.length > 0);

const definitions: fc.Arbitrary<PromotionDefinition> = fc
  .record({
    scope: fc.option(selections),
    eligibility: fc.option(selections),
    tags: fc.option(fc.uniqueArray(fc.constantFrom('vip', 'staff', 'new'), { minLength: 1 })),
    starts: fc.option(fc.integer({ min: AT - 2, max: AT + 2 })),
    ends: fc.option(fc.integer({ min: AT - 2, max: AT + 2 })),
    isActive: fc.boolean(),
  })
  .map(({ scope, eligibility, tags, starts, ends, isActive }) =>
    sampleDefinition({
      isActive,
      rules: [
        ...(scope === null ? [] : [{ kind: 'item_discount_scope', selection: scope } as const]),
        ...(eligibility === null
          ? []
          : [{ kind: 'item_eligibility', selection: eligibility, match: 'all' } as const]),
      ],
      audience: tags === null ? { kind: 'everyone' } : { kind: 'tagged_users', anyOf: tags },
      ...(starts === null ? {} : { startsAtMs: starts }),
      ...(ends === null ? {} : { endsAtMs: ends }),
    }),
  );

const lines = fc.array(fc.record({ itemId: fc.constantFrom('i0', 'i1', 'x'), categoryIds: someIds('c') }), {
  maxLength: 4,
});

interface Shopper {
  readonly items: ReadonlySet<string>;
  readonly categories: ReadonlySet<string>;
  readonly tags: ReadonlySet<string>;
}

function isCandidate(definition: PromotionDefinition, { items, categories, tags }: Shopper): boolean {
  const { rules, audience, startsAtMs = -Infinity, endsAtMs = Infinity } = definition;
  const sharesKeys = rules.every(
    (rule) =>
      !('selection' in rule) ||
      rule.selection.itemIds.some((id) => items.has(id)) ||
      rule.selection.categoryIds.some((id) => categories.has(id)),
  );
  const isAudience = audience.kind !== 'tagged_users' || audience.anyOf.some((tag) => tags.has(tag));
  return definition.isActive && sharesKeys && isAudience && startsAtMs <= AT && AT <= endsAtMs;
}

describe('the index of automatic promotions (SPEC R10: candidates)', () => {
  it('finds exactly what a look at every promotion finds, after any changes', () => {
    const versions = fc.array(fc.array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.option(definitions))), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(versions, lines, fc.subarray(['vip', 'staff']), (changes, cartLines, tags) => {
        const table = new RuleTable();
        const expected = new Map<number, PromotionDefinition>();
        for (const [at, change] of changes.entries()) {
          const named = change.map(([ref, made]) => ({
            ref,
            ...(made === null ? {} : { definition: { ...made, ref, id: `p${ref}` } }),
          }));
          table.change(named, at + 1);
          for (const { ref, definition } of named) {
            if (definition === undefined) expected.delete(ref);
            else expected.set(ref, definition);
          }
        }
        const cart = sampleCart({
          lines: cartLines.map((line, at) => sampleLine({ lineId: `${at}`, ...line })),
        });
        const shopper = {
          items: new Set(cartLines.map(({ itemId }) => itemId)),
          categories: new Set(cartLines.flatMap(({ categoryIds }) => categoryIds)),
          tags: new Set(tags),
        };
        const found = table.index.find({
          cart: prepareCart(cart, table.vocabulary),
          facts: { tags: shopper.tags },
          atMs: AT,
        });
        const wanted = [...expected.values()].filter((definition) => isCandidate(definition, shopper));
        expect(found.map(({ promotion }) => promotion?.definition.ref)).toEqual(
          wanted.map(({ ref }) => ref).sort((left, right) => left - right),
        );
      }),
      { numRuns: 300 },
    );
  });
});
