/** Turns the ledger's Lua files into one typed module, so that nothing is read from disk at run time. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the scripts lie, and the module that is made from them; paths from the repository's root. */
export const SCRIPT_DIRECTORY = 'src/ledger/scripts';
export const SCRIPT_MODULE = `${SCRIPT_DIRECTORY}/scripts.gen.ts`;

const INCLUDE = /^--@include ([a-z-]+)$/gm;

/** The text of one script with its includes in place. Throws when an include does not exist. */
export function inlineScript(directory: string, name: string): string {
  const text = readFileSync(join(directory, `${name}.lua`), 'utf8');
  return text.replace(INCLUDE, (_line, include: string) =>
    readFileSync(join(directory, 'includes', `${include}.lua`), 'utf8').trimEnd(),
  );
}

/** The source of the generated module: every script of `directory` by name, in alphabetical order. */
export function scriptModule(directory: string): string {
  const names = readdirSync(directory)
    .filter((file) => file.endsWith('.lua'))
    .map((file) => file.slice(0, -'.lua'.length))
    .sort();
  const entries = names.map((name) => {
    const text = inlineScript(directory, name);
    const sha1 = createHash('sha1').update(text).digest('hex');
    return `  ${name}: {\n    sha1: '${sha1}',\n    text: ${JSON.stringify(text)},\n  },\n`;
  });
  return `// Generated from src/ledger/scripts by tools/ledger-scripts. Do not edit.\n\n/** The ledger's scripts: text and the SHA-1 that EVALSHA names them by. */\nexport const LEDGER_SCRIPTS = {\n${entries.join('')}} as const;\n`;
}
