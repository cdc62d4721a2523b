/**
 * What the scripts of the compose stack need of psql, on a machine without it: `-v name=value`, and a file (`-f`) or standard input sent
 * to the server that PGHOST and its like name, with `:"name"` and `:'name'` in it replaced as an identifier or a literal.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import postgres from 'postgres';

const { values } = parseArgs({
  options: {
    'no-psqlrc': { type: 'boolean' },
    quiet: { type: 'boolean' },
    variable: { type: 'string', short: 'v', multiple: true, default: [] },
    file: { type: 'string', short: 'f' },
  },
});
const variables = new Map(
  values.variable.map((variable): [string, string] => {
    const [name = '', ...value] = variable.split('=');
    return [name, value.join('=')];
  }),
);
if (variables.get('ON_ERROR_STOP') !== '1') throw new Error('psql would go on after an error');
const text = readFileSync(values.file ?? 0, 'utf8').replace(
  /:(["'])(\w+)\1/g,
  (_whole, quote: string, name: string) =>
    `${quote}${variables.get(name)?.replaceAll(quote, quote + quote) ?? ''}${quote}`,
);
const sql = postgres({ max: 1, onnotice: () => undefined });
await sql.unsafe(text);
await sql.end();
