import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCsv } from './csv.ts';

// SPEC P8
test('reads what spreadsheets write: quotes, commas and line ends inside values, CRLF, a byte order mark', () => {
  const text = '\uFEFFcode,note\r\n"AB,C","say ""hi"""\r\n\r\n"two\nlines",x\nlast';
  expect(parseCsv(text)).toEqual([
    { line: 1, cells: ['code', 'note'] },
    { line: 2, cells: ['AB,C', 'say "hi"'] },
    { line: 4, cells: ['two\nlines', 'x'] },
    { line: 6, cells: ['last'] },
  ]);
});

test('does not guess where quotes do not fit together', () => {
  expect(parseCsv('"open')).toBeUndefined();
  expect(parseCsv('a"b,c')).toBeUndefined();
});

// SPEC P8
test('gives back any rows that were written', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'B', '7', ',', '"', '\n', ' ', '-') });
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1 }), (rows) => {
      const text = rows
        .map((cells) => cells.map((value) => `"${value.replaceAll('"', '""')}"`).join(','))
        .join('\r\n');
      expect(parseCsv(text)?.map(({ cells }) => cells)).toEqual(rows);
    }),
  );
});
