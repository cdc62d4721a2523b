/**
 * Builds the stages of the Dockerfile without an engine: each gets a folder in place of a root file system, its `COPY` and `RUN` lines
 * are carried out there in order, as this user and on this Node, which is the one the image is pinned to. Absolute paths lead into the
 * stage's folder. What is not done: other users, and the base image itself.
 */
import { execFileSync } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { delimiter, dirname, join, relative } from 'node:path';
import { environmentOf, type Instruction, reachesBuild, readStages, type Stage } from './dockerfile.ts';
import { ROOT } from './manifests.ts';

/** The last stage, as it would be shipped. */
export interface BuiltImage {
  readonly stage: Stage;
  /** The folder that stands for its root. */
  readonly root: string;
  /** The folder its commands run in. */
  readonly workingFolder: string;
  /** What its `ENV` lines set, paths led into the folder. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Absolute paths that stages use; others stay what they are. */
const OWN_PATHS = /(?<![\w./-])\/(app|tmp)(?=[/\s"]|$)/g;
const PROGRAM_FOLDER = dirname(process.execPath);

/** Builds every stage below this folder; gives the last one. */
export async function buildImage(folder: string): Promise<BuiltImage> {
  const stages = readStages();
  for (const stage of stages) await buildStage(stage, folder);
  const last = stages.at(-1);
  if (last === undefined) throw new Error('the Dockerfile has no stage');
  return imageOf(last, folder);
}

function imageOf(stage: Stage, folder: string): BuiltImage {
  const root = join(folder, stage.name);
  const workdir = stage.instructions.find(({ name }) => name === 'WORKDIR')?.rest ?? '/';
  const environment = Object.entries(environmentOf(stage)).map(([name, value]) => [
    name,
    inside(value, root),
  ]);
  return { stage, root, workingFolder: join(root, workdir), environment: Object.fromEntries(environment) };
}

async function buildStage(stage: Stage, folder: string): Promise<void> {
  const image = imageOf(stage, folder);
  await mkdir(image.workingFolder, { recursive: true });
  await mkdir(join(image.root, 'tmp'), { recursive: true });
  for (const instruction of stage.instructions) await carryOut(instruction, image, folder);
}

async function carryOut({ name, rest }: Instruction, image: BuiltImage, folder: string): Promise<void> {
  if (name === 'COPY') await copy(rest.split(' '), image, folder);
  if (name === 'RUN') run(rest, image);
}

async function copy(words: readonly string[], image: BuiltImage, folder: string): Promise<void> {
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter((word) => !word.startsWith('--'));
  const target = join(image.workingFolder, paths.at(-1) ?? '');
  const isIntoFolder = paths.at(-1)?.endsWith('/') === true;
  for (const source of paths.slice(0, -1)) {
    const to = isIntoFolder ? join(target, source) : target;
    if (from === undefined) await cp(join(ROOT, source), to, { recursive: true, filter: isOfTheBuild });
    // Packages are thousands of files, which nobody changes any more: links to them do.
    else execFileSync('cp', ['-R', '-P', '-l', join(folder, from, source), to]);
  }
}

function isOfTheBuild(path: string): boolean {
  return reachesBuild(relative(ROOT, path));
}

/** A shell line. Mounts of caches are left out: npm has its own here, and is told to look there first. */
function run(line: string, image: BuiltImage): void {
  const command = inside(line.replaceAll(/--mount=\S+ /g, ''), image.root);
  execFileSync('sh', ['-ec', command], {
    cwd: image.workingFolder,
    env: { ...shellEnvironment(), ...image.environment, npm_config_prefer_offline: 'true' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** Paths of the image made paths of its folder. */
export function inside(text: string, root: string): string {
  return text.replaceAll(OWN_PATHS, (path) => join(root, path));
}

/**
 * What every command finds: this machine's way to the registry, Node as pinned, and no program of the packages for development. What
 * an outer npm tells the scripts it runs is left out.
 */
export function shellEnvironment(): Record<string, string> {
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((entry) => !entry.includes('node_modules'));
  const kept = Object.entries(process.env)
    .filter(
      ([name]) =>
        !/^(npm_(lifecycle|package|config_local_prefix|command|execpath)|VITEST|NODE_(ENV|OPTIONS)$)/.test(
          name,
        ),
    )
    .map(([name, value]): [string, string] => [name, value ?? '']);
  return { ...Object.fromEntries(kept), PATH: [PROGRAM_FOLDER, ...path].join(delimiter) };
}
