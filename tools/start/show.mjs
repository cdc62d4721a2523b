// Shows an answer of the service to people: reads JSON from standard input and prints the fields named by its arguments
// (`totals`, `applied.promotionId`; none = all), as much on a line as fits. `--raw coupons.0.couponId` prints one value as it
// is, for a variable of the shell, and `--bytes` what a value in base64 stands for. Plain JavaScript, since it is run by
// whatever Node a machine has.
import { readFileSync } from 'node:fs';

const lineWidth = 110;

/** The fields at these paths and nothing else; a path goes through every element of a list. */
function select(value, paths) {
  if (paths.some((path) => path.length === 0)) return value;
  if (Array.isArray(value)) return value.map((element) => select(element, paths));
  if (typeof value !== 'object' || value === null) return value;
  const selected = {};
  for (const [name, field] of Object.entries(value)) {
    const below = paths.filter(([first]) => first === name).map((path) => path.slice(1));
    if (below.length > 0) selected[name] = select(field, below);
  }
  return selected;
}

/** The parts of a list or an object as text, each made by `write`. */
function partsOf(value, write) {
  if (Array.isArray(value)) return value.map(write);
  return Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}: ${write(field)}`);
}

/** On one line. */
function inline(value) {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const parts = partsOf(value, inline);
  if (parts.length === 0) return Array.isArray(value) ? '[]' : '{}';
  return Array.isArray(value) ? `[${parts.join(', ')}]` : `{ ${parts.join(', ')} }`;
}

/** On one line if it fits, otherwise a part per line. */
function write(value, indent = '') {
  const line = inline(value);
  if (typeof value !== 'object' || value === null || indent.length + line.length <= lineWidth) return line;
  const deeper = `${indent}  `;
  const parts = partsOf(value, (part) => write(part, deeper)).join(`,\n${deeper}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}\n${deeper}${parts}\n${indent}${close}`;
}

/** The value at a path as a shell wants it: a text without quotes. */
function raw(value, path) {
  const found = path.split('.').reduce((part, name) => part?.[name], value);
  return typeof found === 'string' ? found : inline(found ?? null);
}

/** What is printed for one answer. */
function shown(answer, [first, ...others]) {
  if (first === '--raw') return `${raw(answer, others[0] ?? '')}\n`;
  if (first === '--bytes') return Buffer.from(raw(answer, others[0] ?? ''), 'base64');
  const paths = first === undefined ? [[]] : [first, ...others].map((path) => path.split('.'));
  return `${write(select(answer, paths))}\n`;
}

// A stream of answers comes as one document after the other, each from a line with { to a line with }.
const documents = readFileSync(0, 'utf8').split(/(?<=^\})\n(?=\{)/m);
for (const text of documents) process.stdout.write(shown(JSON.parse(text), process.argv.slice(2)));
