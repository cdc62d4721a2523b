import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { referenceEvaluate } from '../engine/reference/reference-evaluate.ts';
import { readCase } from './case-format.ts';
import { inCaseWords } from './expectation-format.ts';

const CASES = join(import.meta.dirname, 'cases');
const files = readdirSync(CASES, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .sort();
const cases = files.map((file) => ({ file, text: parse(readFileSync(join(CASES, file), 'utf8')) }));

// SPEC R1 to R14: each case names the row it proves.
describe.each([['reference', referenceEvaluate]] as const)(
  'the %s gives the expected answer',
  (_, evaluate) => {
    it.each(cases)('$file', ({ text }) => {
      const { current, older, input, expected } = readCase(text);
      expect(inCaseWords(evaluate(current, older, input), input.cart)).toMatchObject(expected);
    });
  },
);
