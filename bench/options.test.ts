import { expect, test } from 'vitest';
import { parseOptions } from './options.ts';

test('a plain run has rounds enough for a median', () => {
  expect(parseOptions(['claim'])).toEqual({
    command: 'claim',
    topology: 'single',
    rounds: 3,
    seconds: 8,
    quick: false,
  });
});

test('a quick run is short unless told otherwise', () => {
  expect(parseOptions(['flush', '--quick'])).toMatchObject({
    command: 'flush',
    rounds: 1,
    seconds: 2,
    quick: true,
  });
  expect(parseOptions(['claim', '--quick', '--seconds', '5'])).toMatchObject({ seconds: 5, rounds: 1 });
});

test('files are taken as they are given', () => {
  expect(parseOptions(['claim', '--json', 'a.json', '--html', 'b.html'])).toMatchObject({
    jsonFile: 'a.json',
    htmlFile: 'b.html',
  });
});

test.each([
  [[], /claim, flush, evaluate, overload, tracing, sizes, all/],
  [['evaluation'], /claim, flush, evaluate, overload, tracing, sizes, all/],
  [['claim', 'flush'], /claim, flush, evaluate, overload, tracing, sizes, all/],
  [['claim', '--rounds', '0'], /--rounds: a whole number from 1 to 20/],
  [['claim', '--seconds', '1e9'], /--seconds/],
  [['claim', '--rounds', 'two'], /--rounds/],
  [['claim', '--fast'], /--fast/],
])('%j is refused', (argv, message) => {
  expect(() => parseOptions(argv)).toThrow(message);
});
