import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  inlineScript,
  SCRIPT_DIRECTORY,
  SCRIPT_MODULE,
  scriptModule,
} from '../../tools/ledger-scripts/inline.ts';
import { LEDGER_SCRIPTS } from '../gen/ledger-scripts.ts';

const names = Object.keys(LEDGER_SCRIPTS);

describe('the ledger scripts', () => {
  it('are all there, and the module is what its sources make', () => {
    const files = readdirSync(SCRIPT_DIRECTORY).filter((file) => file.endsWith('.lua'));
    expect(names.map((name) => `${name}.lua`).sort()).toEqual(files.sort());
    expect(readFileSync(SCRIPT_MODULE, 'utf8')).toBe(scriptModule(SCRIPT_DIRECTORY));
  });

  describe.each(names)('%s', (name) => {
    const text = inlineScript(SCRIPT_DIRECTORY, name);
    const code = text.replaceAll(/--.*$/gm, '');

    it('begins with its engine and a contract', () => {
      expect(text).toMatch(/^#!lua( flags=no-writes)?\n-- /);
      for (const word of ['-- KEYS', '-- ARGV', '-- Reply']) expect(text).toContain(word);
    });

    it('uses every key and argument it declares, and no other', () => {
      for (const kind of ['KEYS', 'ARGV']) {
        const used = [...code.matchAll(new RegExp(`${kind}\\[(\\d+)`, 'g'))].map((match) => Number(match[1]));
        const declared = declaredNumbers(text, kind);
        expect(new Set(used)).toEqual(new Set(declared));
      }
    });

    it('takes its keys from KEYS alone, and trims nothing while it writes', () => {
      expect(code).not.toMatch(/\{p\d/);
      expect(code).not.toMatch(/MAXLEN|'KEYS'|'P?EXPIRE/);
    });
  });
});

/** Numbers the header declares for KEYS or ARGV, one a line; what follows `…` is reached by counting on. */
function declaredNumbers(text: string, kind: string): number[] {
  const [, section = ''] = text.split(new RegExp(`^-- ${kind}$`, 'm'));
  const [lines = ''] = section.split(/^-- \w/m);
  return [...lines.matchAll(/^-- {3}(\d+) {2}\S/gm)].map((match) => Number(match[1]));
}
