import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LayeredMap } from './layered-map.ts';

const changes = fc.array(fc.tuple(fc.nat(400), fc.option(fc.nat(), { nil: undefined })), { maxLength: 150 });

test('a layered map answers as a plain map does, through any sequence of changes', () => {
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 12 }), (steps) => {
      let layered = LayeredMap.empty<number, number>();
      const plain = new Map<number, number>();
      for (const step of steps) {
        layered = layered.with(step);
        for (const [key, value] of step) value === undefined ? plain.delete(key) : plain.set(key, value);
        expect(layered.size).toBe(plain.size);
        expect([...layered.values()].sort()).toEqual([...plain.values()].sort());
        for (let key = 0; key <= 400; key += 1) expect(layered.get(key)).toBe(plain.get(key));
      }
    }),
    { numRuns: 40 },
  );
});

test('a map stays as it was when another is made from it', () => {
  const before = LayeredMap.empty<string, number>().with([['a', 1]]);
  const after = before.with([
    ['a', undefined],
    ['b', 2],
  ]);
  expect([before.get('a'), before.get('b'), before.size]).toEqual([1, undefined, 1]);
  expect([after.get('a'), after.get('b'), after.size]).toEqual([undefined, 2, 1]);
});
