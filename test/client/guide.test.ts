/**
 * docs/clients.md, and the first calls of the README, as their reader follows them: the client is built, packed and installed
 * in a clean folder, every block is compiled and run against the product as `npm start` runs it, and what it prints must be what
 * the document shows.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAuthority } from '../security/certificates.ts';
import { StartFixture } from '../start-fixture.ts';
import { Consumer } from './consumer.ts';
import { answerPattern, readGuide, withoutBlanks } from './guide.ts';

const run = promisify(execFile);
const documentOf = (path: string): string => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
/** The README's first calls come first; its chapter about a cart is run where `npm start` is tested. */
const [FIRST_CALLS = ''] = documentOf('README.md').split('\n### ');
const GUIDE = readGuide(FIRST_CALLS, documentOf('docs/clients.md'));
const BREAK = '--- next block ---';
const RUN_TIMEOUT_MS = 60_000;

let consumer: Consumer;
let fixture: StartFixture;
let printed: ReadonlyMap<number, string>;

const blocksOf = (language: string) => GUIDE.filter((block) => block.language === language);
const fileOf = (number: number): string => `block-${number}.ts`;

// SPEC C8, T1: the client package, as a stranger gets it, and every snippet of its guide.
beforeAll(async () => {
  vi.stubEnv('HONGBAO_HTTP_CORS_ORIGINS', 'https://shop.example');
  fixture = await StartFixture.create();
  const started = fixture.start();
  consumer = new Consumer();
  for (const path of ['proto', 'third_party']) consumer.link(path);
  consumer.put('ca.pem', createAuthority().cert);
  consumer.put('token', 'a token\n');
  for (const { number, text } of blocksOf('ts')) consumer.put(fileOf(number), fixture.toOwnPorts(text));
  await started;
  printed = new Map((await Promise.all([runPrograms(), runShell()])).flat());
}, 180_000);

afterAll(async () => {
  vi.unstubAllEnvs();
  consumer.remove();
  await fixture.dispose();
});

/** What each block printed, by the number of the block. */
async function runPrograms(): Promise<[number, string][]> {
  const blocks = blocksOf('ts');
  const lines = blocks.map(
    ({ number }) =>
      `await import('./${fileOf(number)}').catch((error) => console.log(String(error))); console.log('${BREAK}');`,
  );
  consumer.put('run.mjs', lines.join('\n'));
  const { stdout } = await run(process.execPath, ['run.mjs'], {
    cwd: consumer.folder,
    timeout: RUN_TIMEOUT_MS,
  });
  return stdout.split(`${BREAK}\n`).map((text, index) => [blocks[index]?.number ?? -1, text]);
}

async function runShell(): Promise<[number, string][]> {
  const blocks = blocksOf('sh');
  const script = blocks.map(({ text }) => fixture.toOwnPorts(text)).join(`\necho; echo '${BREAK}'\n`);
  // What a block answers is judged below, so the code its last command ends with is not.
  const { stdout } = await run('sh', ['-c', `${script}\ntrue`], { timeout: RUN_TIMEOUT_MS });
  return stdout.split(`${BREAK}\n`).map((text, index) => [blocks[index]?.number ?? -1, text]);
}

describe('the guide', () => {
  test.each(GUIDE.map((block) => [block.number, block.title, block] as const))(
    'block %i prints what is shown: %s',
    (number, _title, { answer }) => {
      const seen = printed.get(number) ?? '';
      if (!answerPattern(answer).test(withoutBlanks(seen))) expect(seen.trim()).toBe(answer.trim());
    },
  );

  test('compiles under strict rules, against the declarations of the package', () => {
    expect(consumer.faults(blocksOf('ts').map(({ number }) => fileOf(number)))).toBe('');
  });
});

describe('the package', () => {
  const home = () => join(consumer.folder, 'node_modules/hongbao');
  const files = () =>
    readdirSync(home(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(home(), join(entry.parentPath, entry.name)));

  test('holds JavaScript with declarations, its licence, and nothing of the service', () => {
    const kinds = new Set(files().map((file) => /(\.d\.ts|\.js)$/.exec(file)?.[0] ?? file));
    expect([...kinds].toSorted()).toEqual(['.d.ts', '.js', 'LICENSE', 'README.md', 'package.json']);
    const folders = new Set(files().map((file) => file.split('/')[0]));
    expect(folders).toEqual(new Set(['LICENSE', 'README.md', 'package.json', 'client', 'domain', 'gen']));
  });

  test.each(['client/index.js', 'client/connect.js'])(
    '%s needs no module of Node: browsers take it',
    (entry) => {
      const reached = reachable(join(home(), entry));
      expect(reached.filter((name) => name.startsWith('node:') || name.startsWith('@grpc/'))).toEqual([]);
      expect(reached).toContain('@connectrpc/connect');
    },
  );
});

/** Everything a module imports, and what that imports in turn as far as it is ours. */
function reachable(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const names = [...readFileSync(file, 'utf8').matchAll(/\bfrom ["']([^"']+)["']/g)].map(
    ([, name = '']) => name,
  );
  return names.flatMap((name) => (name.startsWith('.') ? reachable(join(file, '..', name), seen) : [name]));
}
