/**
 * `npm run build:client`: the client as a package that can be installed, in `dist`. Sources run as they are only in a checkout;
 * Node strips no types below node_modules, so a package holds JavaScript and declarations.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT_DIRECTORY } from './start/settings.ts';

/** What the package is made of, beside the contract. */
const SOURCES = ['src/client', 'src/domain/refusal.ts'];
/** The oldest Node with all that the client and its libraries use. */
const NODE = '>=22';

const COMPILER_OPTIONS = {
  target: 'es2022',
  module: 'nodenext',
  lib: ['es2024', 'dom', 'dom.iterable'],
  types: ['node'],
  strict: true,
  declaration: true,
  rewriteRelativeImportExtensions: true,
  verbatimModuleSyntax: true,
  skipLibCheck: true,
  rootDir: 'src',
};

/** The contract without the annotations that only the service reads: they would bring their interpreter along. */
const CONTRACT_TEMPLATE = {
  version: 'v2',
  inputs: [
    {
      directory: '.',
      paths: ['proto/hongbao', 'third_party/google/rpc'],
      exclude_types: ['buf.validate.field', 'buf.validate.message', 'buf.validate.oneof'],
    },
  ],
  plugins: [
    {
      local: 'protoc-gen-es',
      out: 'src/gen',
      opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
    },
  ],
};

/** Builds the package into `folder/client` and packs it. Gives the path of the tarball. Throws with the output of what failed. */
export function buildClient(folder: string): string {
  const stage = mkdtempSync(join(tmpdir(), 'hongbao-client-'));
  const packageFolder = join(folder, 'client');
  try {
    layOut(stage);
    rmSync(packageFolder, { recursive: true, force: true });
    run('tsc', ['-p', stage, '--outDir', packageFolder]);
    writeFileSync(join(packageFolder, 'package.json'), JSON.stringify(manifest(stage), undefined, 2));
    writeFileSync(join(packageFolder, 'README.md'), readme());
    cpSync(join(ROOT_DIRECTORY, 'LICENSE'), join(packageFolder, 'LICENSE'));
  } finally {
    rmSync(stage, { recursive: true });
  }
  const packed = run('npm', [
    'pack',
    packageFolder,
    '--ignore-scripts',
    '--silent',
    '--pack-destination',
    folder,
  ]);
  return join(folder, packed.trim());
}

function layOut(stage: string): void {
  run('buf', ['generate', '--template', JSON.stringify(CONTRACT_TEMPLATE), '-o', stage]);
  for (const path of SOURCES) {
    mkdirSync(dirname(join(stage, path)), { recursive: true });
    cpSync(join(ROOT_DIRECTORY, path), join(stage, path), {
      recursive: true,
      filter: (source) => !source.endsWith('.test.ts'),
    });
  }
  symlinkSync(join(ROOT_DIRECTORY, 'node_modules'), join(stage, 'node_modules'));
  writeFileSync(join(stage, 'package.json'), JSON.stringify({ type: 'module' }));
  const settings = { compilerOptions: COMPILER_OPTIONS, include: ['src'] };
  writeFileSync(join(stage, 'tsconfig.json'), JSON.stringify(settings));
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** The package says what the repository says, of what concerns it. */
function manifest(stage: string): object {
  const root: Manifest = JSON.parse(readFileSync(join(ROOT_DIRECTORY, 'package.json'), 'utf8'));
  const versions: Readonly<Record<string, string>> = { ...root.devDependencies, ...root.dependencies };
  const entries = Object.entries(root.exports).map(([name, source]) => [name, compiled(source)]);
  return {
    name: root.name,
    version: root.version,
    description: 'The typed client of Hongbao: gRPC and Connect, with deadlines, retries and typed refusals.',
    license: root.license,
    type: 'module',
    engines: { node: NODE },
    exports: Object.fromEntries(entries),
    dependencies: Object.fromEntries(packagesIn(stage).map((name) => [name, `^${versions[name]}`])),
  };
}

/** `./src/client/grpc.ts` is `./client/grpc.js` in the package, its types beside it. */
function compiled(source: string): object {
  const path = source.replace('./src/', './').replace(/\.ts$/, '');
  return { types: `${path}.d.ts`, default: `${path}.js` };
}

/** The packages that the sources import. */
function packagesIn(stage: string): string[] {
  const files = readdirSync(join(stage, 'src'), { recursive: true, encoding: 'utf8' });
  const texts = files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(stage, 'src', file), 'utf8'));
  const names = texts.flatMap((text) =>
    [...text.matchAll(/ from ["']((?:@[\w-]+\/)?[a-z][\w-]*)[^"':]*["']/g)].map(([, name = '']) => name),
  );
  return [...new Set(names)].sort();
}

/** The guide; what it links to stays in the repository. */
function readme(): string {
  const guide = readFileSync(join(ROOT_DIRECTORY, 'docs/clients.md'), 'utf8');
  return guide.replaceAll(/\[([^\]]+)\]\((?!https?:)[^)]+\)/g, '$1');
}

function run(program: string, parameters: readonly string[]): string {
  try {
    return execFileSync(program, parameters, { cwd: ROOT_DIRECTORY, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    throw new Error(`${program} ${parameters[0]} failed\n${outputOf(error)}`, { cause: error });
  }
}

function outputOf(error: unknown): string {
  return error instanceof Error && 'stdout' in error && 'stderr' in error
    ? `${error.stdout}${error.stderr}`
    : '';
}

if (import.meta.main) {
  const folder = join(ROOT_DIRECTORY, 'dist');
  mkdirSync(folder, { recursive: true });
  console.log(buildClient(folder));
}
