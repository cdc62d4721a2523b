/**
 * `npm start` as a newcomer sees it, on ports and in a data folder of this test's own. The printed calls go to a shell as
 * they are, and so do those of the README, whose answers must be as it shows them.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isPortFree } from '../tools/servers/free-port.ts';
import { end, StartFixture } from './start-fixture.ts';

const run = promisify(execFile);

let fixture: StartFixture;

beforeEach(async () => {
  fixture = await StartFixture.create();
});

afterEach(() => fixture.dispose());

describe('npm start', () => {
  test('prints calls that work as pasted, as does the README, keeps its data over a kill and leaves no port open (SPEC C1, C2, C4, R1)', async () => {
    const first = await fixture.start();
    const overGrpc = await paste(first.printed, 'npx buf curl');
    expect(overGrpc).toMatchObject({ promotionId: 'no-threshold-10', couponId: expect.any(String) });
    await end(first.child, 'SIGKILL');

    const second = await fixture.start();
    const overHttp = await paste(second.printed, 'curl');
    expect(overHttp).toMatchObject({ couponId: overGrpc.couponId, replayed: true });
    const { shown, answers } = await pasteCart();
    expect(shown).toHaveLength(2);
    expect(answers.slice(-shown.length)).toEqual(shown.map(containing));
    expect(await end(second.child, 'SIGINT')).toBe(0);
    const free = await Promise.all([...fixture.ports.values()].map(isPortFree));
    expect(free).not.toContain(false);
  }, 120_000);

  test('says in one line which port is taken and what moves it', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen(fixture.ports.get('HONGBAO_HTTP_PORT'), '127.0.0.1', resolve);
    });
    await expect(fixture.start()).rejects.toThrow(/^Port \d+ \(HTTP\) is taken\. .*HONGBAO_HTTP_PORT.*$/m);
    other.close();
  });
});

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
  const script = fixture.toOwnPorts(blocks('sh').join('echo; echo ---\n'));
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
