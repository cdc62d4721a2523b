import { posix } from 'node:path';
import { perFile, type Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { importedModules } from '../syntax.ts';

/** What stands between the stores and the transport; these use each other where one is part of another's work. */
const SERVICES = ['redemption', 'points', 'codes', 'grants', 'events', 'feed', 'privacy', 'jobs'];

/** What those may import from. */
const OF_A_SERVICE = [
  'domain',
  'wire',
  'gen',
  'telemetry',
  'engine',
  'ledger',
  'database',
  'archive',
  'definitions',
  'ruleset',
  'evaluation',
  ...SERVICES,
];

/** What each layer may import from besides itself. A layer that is not listed here does not exist. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  wire: ['domain'],
  gen: ['domain', 'wire'],
  // What others install: nothing of the service itself.
  client: ['domain', 'gen'],
  config: ['domain'],
  telemetry: ['domain', 'config'],
  engine: ['domain'],
  ledger: ['domain', 'telemetry', 'gen'],
  database: ['domain', 'telemetry'],
  archive: ['domain', 'telemetry', 'ledger', 'database', 'gen'],
  definitions: ['domain', 'telemetry', 'database', 'engine', 'gen'],
  ruleset: ['domain', 'telemetry', 'database', 'definitions', 'engine', 'gen'],
  evaluation: ['domain', 'wire', 'telemetry', 'engine', 'gen'],
  redemption: OF_A_SERVICE,
  points: OF_A_SERVICE,
  codes: OF_A_SERVICE,
  grants: OF_A_SERVICE,
  events: OF_A_SERVICE,
  feed: OF_A_SERVICE,
  privacy: OF_A_SERVICE,
  jobs: OF_A_SERVICE,
  transport: [
    'domain',
    'wire',
    'gen',
    'config',
    'telemetry',
    'engine',
    'ledger',
    'database',
    'archive',
    'definitions',
    'ruleset',
    'evaluation',
    ...SERVICES,
  ],
};

/** The composition root and the process edge: the files right in `src`, and the roles. They may import everything. */
const isRoot = (layer: string): boolean => layer === 'roles' || layer.endsWith('.ts');

/** Imports run one way. */
export const layers: Rule = {
  promise: 'imports run from the edge of the product to its domain, never back',
  check: perFile((file) => (file.isProduct ? checkFile(file) : [])),
  planted: {
    'src/domain/a.ts': `import { x } from '../ledger/keys.ts';`,
    'src/ledger/b.ts': `import { x } from '../app.ts';`,
    'src/gadgets/c.ts': `export {};`,
    'src/ledger/d.ts': `import { x } from '../../tools/start.ts';`,
  },
};

function checkFile(file: SourceFile): string[] {
  const layer = layerOf(file.path);
  if (isRoot(layer)) return [];
  const allowed = MAY_IMPORT[layer];
  if (allowed === undefined)
    return [file.fault(0, `there is no layer "${layer}"; add it to the list of layers`)];
  return importedModules(file.parsed.program)
    .filter(({ name }) => name.startsWith('.'))
    .filter(({ name }) => !isAllowed(layerOf(posix.join(posix.dirname(file.path), name)), layer, allowed))
    .map(({ name, position }) => file.fault(position, `${layer} must not import ${name}`));
}

function isAllowed(target: string, layer: string, allowed: readonly string[]): boolean {
  return target === layer || allowed.includes(target);
}

/** `ledger` for `src/ledger/keys.ts`, `main.ts` for `src/main.ts`, and the top folder for what lies outside `src`. */
function layerOf(path: string): string {
  const [top = '', layer = ''] = path.split('/');
  return top === 'src' ? layer : top;
}
