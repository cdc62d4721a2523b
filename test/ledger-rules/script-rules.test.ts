/** Each rule of the ledger's scripts holds, and whoever takes it out is found out. */
import { expect, it } from 'vitest';
import { startLedgerFixture } from '../ledger-fixture.ts';
import { RuleWorld } from './rule-world.ts';
import { SCRIPT_RULES, type ScriptRule } from './script-rules.ts';
import { withoutRule } from './without-rule.ts';

async function look({ holds }: ScriptRule): Promise<boolean> {
  const fixture = await startLedgerFixture();
  try {
    return await holds(new RuleWorld(fixture));
  } finally {
    await fixture.close();
  }
}

// SPEC C3, C4, L5
it.each(SCRIPT_RULES.map((rule) => [rule.rule, rule.says, rule] as const))(
  '%s: %s',
  async (_number, _says, rule) => {
    expect(await look(rule)).toBe(true);
    expect(await withoutRule(rule.without, () => look(rule))).toBe(false);
  },
);
