/**
 * Writes every generated file: protobuf-es code, hot codecs, ledger scripts, tables of the documentation, dashboards, the
 * rules of Prometheus for its operator, the figures and plots of docs/scaling.md.
 *
 * `--check` writes nothing and ends with 1 when the tree differs from what would be written.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { describeConfig } from '../src/config/describe-config.ts';
import { describePolicies } from '../src/transport/policy.ts';
import { dashboardFiles } from './dashboards/all-dashboards.ts';
import { documentedReasons, errorsTable } from './errors-table.ts';
import { SCRIPT_DIRECTORY, SCRIPT_MODULE, scriptModule } from './ledger-scripts/inline.ts';
import { prometheusRuleFile } from './prometheus-rule.ts';
import { scalingFiles } from './scaling/scaling-page.ts';

const GENERATED_FOLDER = 'src/gen';

/** Path to content; paths start at the top of the repository. */
type Files = Map<string, string>;

function readFolder(top: string, folder: string): Files {
  const entries = readdirSync(join(top, folder), { recursive: true, withFileTypes: true });
  const files: Files = new Map();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(top, path), readFileSync(path, 'utf8'));
  }
  return files;
}

function protobufFiles(): Files {
  const folder = mkdtempSync(join(tmpdir(), 'hongbao-generate-'));
  try {
    execFileSync('buf', ['generate', '-o', folder], { stdio: ['ignore', 'inherit', 'inherit'] });
    return readFolder(folder, GENERATED_FOLDER);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The generator reads the protobuf-es schemas, so it is loaded only once they are written. */
async function hotFiles(): Promise<Files> {
  const [{ HOT_MODULES }, { moduleSource }] = await Promise.all([
    import('./hot-codecs/hot-modules.ts'),
    import('./hot-codecs/module-source.ts'),
  ]);
  return new Map(
    HOT_MODULES.map((module) => [join(GENERATED_FOLDER, 'hot', module.file), moduleSource(module)]),
  );
}

function otherFiles(): Files {
  return new Map([
    [SCRIPT_MODULE, scriptModule(SCRIPT_DIRECTORY)],
    ['docs/configuration.md', describeConfig()],
    ['docs/errors.md', errorsTable(documentedReasons())],
    ['docs/identities.md', describePolicies()],
    ...dashboardFiles(),
    ...scalingFiles(),
  ]);
}

function write(files: Files): void {
  for (const [path, content] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

function staleFiles(files: Files): string[] {
  return [...readFolder('.', GENERATED_FOLDER).keys()].filter((path) => !files.has(path));
}

function differences(files: Files): string[] {
  const changed = [...files].filter(([path, content]) => contentOf(path) !== content).map(([path]) => path);
  return [...changed, ...staleFiles(files)].sort();
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

async function main(check: boolean): Promise<void> {
  // What others are made from first.
  const files = new Map([...protobufFiles(), ...prometheusRuleFile()]);
  if (!check) write(files);
  for (const [path, content] of [...(await hotFiles()), ...otherFiles()]) files.set(path, content);
  if (!check) {
    write(files);
    for (const path of staleFiles(files)) rmSync(path);
    return;
  }
  const different = differences(files);
  for (const path of different) console.error(`${path} is not what npm run generate writes`);
  if (different.length > 0) process.exitCode = 1;
}

process.chdir(join(import.meta.dirname, '..'));
await main(process.argv.includes('--check'));
