/** Takes one rule out of the ledger's scripts for as long as something runs, to see whether anybody notices. */
import { createHash } from 'node:crypto';
import { LEDGER_SCRIPTS } from '../../src/gen/ledger-scripts.ts';
import type { ScriptName } from '../../src/ledger/script-runner.ts';

/** A change to the text of a script. */
export interface Removal {
  readonly script: ScriptName;
  /** What stands in the script, once or more. */
  readonly text: string;
  /** What stands there without the rule. */
  readonly instead: string;
}

/** Runs `work` with the changed scripts. Throws when a text is not in its script: then the rule has moved, and the removal with it. */
export async function withoutRule<Answer>(
  removals: readonly Removal[],
  work: () => Promise<Answer>,
): Promise<Answer> {
  const intact = { ...LEDGER_SCRIPTS };
  try {
    for (const { script, text, instead } of removals) {
      const before: string = LEDGER_SCRIPTS[script].text;
      if (!before.includes(text)) throw new Error(`${script} does not say: ${text}`);
      const changed = before.replaceAll(text, instead);
      const sha1 = createHash('sha1').update(changed).digest('hex');
      Object.assign(LEDGER_SCRIPTS, { [script]: { sha1, text: changed } });
    }
    return await work();
  } finally {
    Object.assign(LEDGER_SCRIPTS, intact);
  }
}
