/**
 * `npm start` as a newcomer sees it, on ports and in a data folder of this test's own. The printed calls go to a shell as
 * they are, and so do those of the README, whose answers must be as it shows them.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort, isPortFree } from '../tools/servers/free-port.ts';

const run = promisify(execFile);

const PORT_VARIABLES = [
  'HONGBAO_GRPC_PORT',
  'HONGBAO_HTTP_PORT',
  'HONGBAO_OPS_PORT',
  'START_ARCHIVE_OPS_PORT',
  'START_POSTGRES_PORT',
  'START_REDIS_PORT',
];

let dataDirectory: string;
let ports: Map<string, number>;
const started: ChildProcess[] = [];

beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'hongbao-start-'));
  // Root's Postgres runs as another account, which has to get in.
  await chmod(dataDirectory, 0o755);
  const entries = PORT_VARIABLES.map(async (name) => [name, await freePort()] as const);
  ports = new Map(await Promise.all(entries));
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => end(child, 'SIGTERM')));
  await rm(dataDirectory, { recursive: true, force: true });
});

describe('npm start', () => {
  test('prints calls that work as pasted, as does the README, keeps its data over a kill and leaves no port open (SPEC C1, C2, C4, R1)', async () => {
    const first = await start();
    const overGrpc = await paste(first.printed, 'npx buf curl');
    expect(overGrpc).toMatchObject({ promotionId: 'no-threshold-10', couponId: expect.any(String) });
    await end(first.child, 'SIGKILL');

    const second = await start();
    const overHttp = await paste(second.printed, 'curl');
    expect(overHttp).toMatchObject({ couponId: overGrpc.couponId, replayed: true });
    const { shown, answers } = await pasteCart();
    expect(shown).toHaveLength(2);
    expect(answers.slice(-shown.length)).toEqual(shown.map(containing));
    expect(await end(second.child, 'SIGINT')).toBe(0);
    const free = await Promise.all([...ports.values()].map(isPortFree));
    expect(free).not.toContain(false);
  }, 120_000);

  test('says in one line which port is taken and what moves it', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen(ports.get('HONGBAO_HTTP_PORT'), '127.0.0.1', resolve);
    });
    await expect(start()).rejects.toThrow(/^Port \d+ \(HTTP\) is taken\. .*HONGBAO_HTTP_PORT.*$/m);
    other.close();
  });
});

/** Resolves once everything is up; rejects with all that was printed when it ends before. */
async function start(): Promise<{ child: ChildProcess; printed: string }> {
  const { DATABASE_URL, REDIS_URL, ...environment } = process.env;
  const own = { ...environment, ...Object.fromEntries(ports), START_DATA_DIRECTORY: dataDirectory };
  const child = spawn('node', ['tools/start.ts'], {
    env: Object.fromEntries(Object.entries(own).map(([name, value]) => [name, String(value)])),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let printed = '';
  await new Promise<void>((resolve, reject) => {
    child.once('close', () => reject(new Error(printed)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        printed += String(chunk);
        if (printed.includes('Ctrl-C stops everything')) resolve();
      });
    }
  });
  return { child, printed };
}

/** Runs the printed line that begins like this, and answers with the JSON it prints. */
async function paste(printed: string, beginning: string): Promise<Record<string, unknown>> {
  const line = printed.split('\n').find((candidate) => candidate.trim().startsWith(beginning));
  const { stdout } = await run('sh', ['-c', line ?? `echo no line begins with ${beginning}`]);
  return JSON.parse(stdout);
}

/**
 * Runs the calls of the README's chapter about a cart one after the other in one shell, and answers with the JSON they print
 * and the JSON that the chapter shows.
 */
async function pasteCart(): Promise<{ answers: unknown[]; shown: unknown[] }> {
  const readme = await readFile(join(import.meta.dirname, '../README.md'), 'utf8');
  const chapter = readme.split(/^###? /m).find((text) => text.startsWith('A cart')) ?? '';
  const blocks = (language: string): string[] =>
    [...chapter.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].flatMap(
      ([, text]) => text ?? [],
    );
  const script = blocks('sh')
    .join('echo; echo ---\n')
    .replaceAll(':8080', `:${ports.get('HONGBAO_HTTP_PORT')}`)
    .replaceAll(':50051', `:${ports.get('HONGBAO_GRPC_PORT')}`);
  const { stdout } = await run('sh', ['-c', script]);
  const parse = (text: string): unknown => JSON.parse(text);
  return { answers: stdout.split('\n---\n').map(parse), shown: blocks('json').map(parse) };
}

/** Matches what has everything that is shown, at any depth; lists may hold more and in another order. */
function containing(shown: unknown): unknown {
  if (Array.isArray(shown)) return expect.arrayContaining(shown.map(containing));
  if (typeof shown !== 'object' || shown === null) return shown;
  const entries = Object.entries(shown).map(([name, value]) => [name, containing(value)]);
  return expect.objectContaining(Object.fromEntries(entries));
}

/** Resolves with the exit code, null after a kill, once the process is gone. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const gone = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.kill(signal);
  return gone;
}
