import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RuleSetChange } from '../domain/rule-set-change.ts';
import { RULE_LOG_BYTES, RULE_LOG_FIRST_BYTES } from './limits.ts';
import { RuleLog, RuleLogReader } from './rule-log.ts';

const change: fc.Arbitrary<RuleSetChange> = fc.record({
  ref: fc.nat(),
  ruleSetVersion: fc.nat(Number.MAX_SAFE_INTEGER),
  isDeleted: fc.boolean(),
  body: fc.uint8Array({ maxLength: 200 }),
});

test('readers read what was written, in any steps, and nothing before it is published', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(change, { maxLength: 20 })),
      fc.integer({ min: 1, max: 7 }),
      (parts, step) => {
        const log = new RuleLog();
        const reader = new RuleLogReader(log.memory);
        const read: RuleSetChange[] = [];
        for (const part of parts) {
          for (const each of part) log.append(each);
          expect(reader.read(step)).toEqual([]);
          log.publish();
          while (reader.isBehind) read.push(...reader.read(step));
        }
        expect(read).toEqual(parts.flat());
        expect(new RuleLogReader(log.memory).read(Number.POSITIVE_INFINITY)).toEqual(read);
      },
    ),
    { numRuns: 30 },
  );
});

test('the log grows, readers see it through the memory they have, and it says when it is full', () => {
  const log = new RuleLog();
  const reader = new RuleLogReader(log.memory);
  const body = new Uint8Array(RULE_LOG_FIRST_BYTES).fill(7);
  for (let version = 1; version <= 3; version += 1) {
    log.append({ ref: 1, ruleSetVersion: version, isDeleted: false, body });
  }
  log.publish();
  expect(reader.read(3).map((each) => each.body.at(-1))).toEqual([7, 7, 7]);
  const tooMuch = { ref: 1, ruleSetVersion: 4, isDeleted: false, body: new Uint8Array(RULE_LOG_BYTES) };
  expect(() => log.append(tooMuch)).toThrow(RangeError);
  log.publish();
  expect(reader.isBehind).toBe(false);
});

test('a reader that waits is woken', async () => {
  const log = new RuleLog();
  const reader = new RuleLogReader(log.memory);
  const woken = reader.untilBehind();
  log.append({ ref: 1, ruleSetVersion: 1, isDeleted: true, body: new Uint8Array() });
  log.publish();
  await woken;
  expect(reader.read(1)).toMatchObject([{ ref: 1, isDeleted: true }]);
});
