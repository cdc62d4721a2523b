/**
 * A rule that lives in the ledger's scripts, with what the script would say without it and how one can tell. `holds` looks at a
 * fresh ledger: true with the scripts as they are, false once the rule is taken out.
 */
import type { RuleWorld } from './rule-world.ts';
import type { Removal } from './without-rule.ts';

/** One rule. */
export interface ScriptRule {
  /** Number of the rule in LEDGER.md, or of the invariant. */
  readonly rule: string;
  readonly says: string;
  readonly without: readonly Removal[];
  readonly holds: (world: RuleWorld) => Promise<boolean>;
}
