import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodeSecrets } from './code-secrets.ts';
import { drawCode, hasRightCheck, normaliseCode } from './code-text.ts';

const LETTERS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
const drawn = fc
  .tuple(fc.constantFrom('', 'SPRING-', 'VIP10'), fc.integer({ min: 10, max: 24 }))
  .map(([prefix, length]) => ({ prefix, length, code: drawCode(prefix, length) }));

// SPEC P8
describe('a drawn code', () => {
  test('has its prefix, its length and only letters nobody confuses', () => {
    fc.assert(
      fc.property(drawn, ({ prefix, length, code }) => {
        expect(code.startsWith(prefix)).toBe(true);
        expect(code.slice(prefix.length)).toMatch(new RegExp(`^[${LETTERS}]{${length}}$`));
        expect(hasRightCheck(normaliseCode(code))).toBe(true);
      }),
    );
  });

  test('differs from every other one of a hundred thousand', () => {
    const codes = new Set(Array.from({ length: 100_000 }, () => drawCode('', 14)));
    expect(codes.size).toBe(100_000);
  });

  test('tells every single wrong letter and every swap of neighbours', () => {
    fc.assert(
      fc.property(drawn, fc.nat(), fc.nat({ max: 31 }), ({ prefix, code }, place, letter) => {
        const start = prefix.length;
        const at = start + (place % (code.length - start));
        const wrong = code.slice(0, at) + LETTERS[letter] + code.slice(at + 1);
        expect(hasRightCheck(normaliseCode(wrong))).toBe(wrong === code);
        if (at + 1 >= code.length) return;
        const swapped = code.slice(0, at) + code[at + 1] + code[at] + code.slice(at + 2);
        expect(hasRightCheck(normaliseCode(swapped))).toBe(swapped === code);
      }),
    );
  });

  test('is the same in any case, between blanks and with hyphens', () => {
    expect(normaliseCode(' spring-abcd-efgh ')).toBe('SPRINGABCDEFGH');
  });
});

// SPEC P8
describe('the secrets of codes', () => {
  const secrets = new CodeSecrets('a secret of the test, thirty-two characters');

  test('open what they sealed, and only for the same code', () => {
    const digest = secrets.digest('ABCDEFGH');
    expect(secrets.open(secrets.seal('abcd-efgh', digest), digest)).toBe('abcd-efgh');
    expect(() => secrets.open(secrets.seal('abcd-efgh', digest), secrets.digest('OTHER'))).toThrow();
  });

  test('open and find what was stored once', () => {
    const digest = secrets.digest('SUMMER');
    expect(digest.toString('hex')).toBe('7f17d47b7ba2627d83d7024d611a4542a163420a2dc4b780d3e1470d157b1a8d');
    const stored = '83f5700d21a555dbd190ff70baba12f2c0bd2bae11ead0f795570080508deaceef7a';
    expect(secrets.open(Buffer.from(stored, 'hex'), digest)).toBe('Summer');
  });

  test('give other digests for other secrets', () => {
    expect(new CodeSecrets('another secret, also thirty-two characters').digest('A')).not.toEqual(
      secrets.digest('A'),
    );
  });
});
