import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isAtLeast, judgeAudit, lockedVersion, OLDEST_VERSIONS } from './audit.ts';

test.each(Object.entries(OLDEST_VERSIONS))('%s is new enough', (name, { version }) => {
  expect(isAtLeast(lockedVersion(name), version), lockedVersion(name)).toBe(true);
});

test('Node is new enough, and says so before it runs anything', () => {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(engines.node).toMatch(/^>=26\./);
  expect(isAtLeast(process.versions.node, '22.22.2')).toBe(true);
});

test.each([
  ['1.14.4', '1.14.4', true],
  ['1.14.10', '1.14.4', true],
  ['1.13.9', '1.14.4', false],
  ['2.0.0', '1.14.4', true],
  ['', '1.0.0', false],
])('%s is at least %s: %s', (version, oldest, expected) => {
  expect(isAtLeast(version, oldest)).toBe(expected);
});

test('a registry that answers is believed, and one that does not is no good news', () => {
  const answered = (high: number) =>
    JSON.stringify({ metadata: { vulnerabilities: { low: 3, high, critical: 0 } } });
  expect(judgeAudit(answered(0)).kind).toBe('clean');
  expect(judgeAudit(answered(1))).toEqual({ kind: 'holes', text: expect.stringContaining('1 grave') });
  expect(judgeAudit('{"message":"405 Method Not Allowed"}').kind).toBe('skipped');
  expect(judgeAudit('').kind).toBe('skipped');
});
