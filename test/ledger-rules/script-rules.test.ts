/** Each rule of the ledger's scripts holds, and whoever takes it out is found out. */
import { expect, it } from 'vitest';
import { startLedgerFixture } from '../ledger-fixture.ts';
import { DECIDING } from './deciding-rules.ts';
import { RuleWorld } from './rule-world.ts';
import type { ScriptRule } from './script-rule.ts';
import { TRANSACTING } from './transacting-rules.ts';
import { withoutRule } from './without-rule.ts';
import { WRITING } from './writing-rules.ts';

async function look({ holds }: ScriptRule): Promise<boolean> {
  const fixture = await startLedgerFixture();
  try {
    return await holds(new RuleWorld(fixture));
  } finally {
    await fixture.close();
  }
}

// SPEC C3, C4, L5
it.each([...WRITING, ...DECIDING, ...TRANSACTING].map((rule) => [rule.rule, rule.says, rule] as const))(
  '%s: %s',
  async (_number, _says, rule) => {
    expect(await look(rule)).toBe(true);
    expect(await withoutRule(rule.without, () => look(rule))).toBe(false);
  },
);
