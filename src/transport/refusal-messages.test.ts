import { expect, test } from 'vitest';
import { REASONS } from '../domain/refusal.ts';
import { languageOf, REFUSAL_MESSAGES } from './refusal-messages.ts';

// SPEC U4
test('every reason has a text in English and in Chinese', () => {
  expect(Object.keys(REFUSAL_MESSAGES).toSorted()).toEqual(Object.keys(REASONS).toSorted());
  for (const [reason, { en, zh }] of Object.entries(REFUSAL_MESSAGES)) {
    expect(en, reason).toMatch(/^[\x20-\x7e]+\.$/);
    expect(zh, reason).toMatch(/^[\u4e00-\u9fff，]+。$/);
  }
});

test.each([
  [undefined, 'en'],
  ['', 'en'],
  ['zh', 'zh'],
  ['zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
  ['en;q=0.2, ZH-tw;q=0.8', 'zh'],
  ['en, zh', 'en'],
  ['zh;q=0, en', 'en'],
  ['fr, de;q=0.5', 'en'],
  ['*', 'en'],
  ['zhx', 'en'],
  [';;q=,,', 'en'],
])('%j asks for %s', (header, language) => {
  expect(languageOf(header)).toBe(language);
});
