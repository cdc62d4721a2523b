/**
 * docs/tour.md as a newcomer follows it: every block goes to one shell, in order, while the product runs as `npm start` runs
 * it, and what each prints must be what the document shows. `…` in an answer stands for what differs from run to run.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StartFixture } from './start-fixture.ts';

const run = promisify(execFile);

interface Step {
  /** Of the paragraph before the commands. */
  readonly title: string;
  readonly commands: string;
  /** What the document says they print. */
  readonly answer: string;
}

const STEPS = readSteps(readFileSync(join(import.meta.dirname, '../docs/tour.md'), 'utf8'));

/** Longer than a slow machine needs, so that a loop of the tour that waits in vain ends with what was printed so far. */
const TOUR_TIMEOUT_MS = 90_000;
const BREAK = '--- next step ---';

let fixture: StartFixture;
let printed: string[];
let complaints: string;

// SPEC L1, L4-L12, T1-T4, R1, C1: the whole life of coupons and points, as told.
beforeAll(async () => {
  fixture = await StartFixture.create();
  await fixture.start();
  const script = fixture.toOwnPorts(STEPS.map(({ commands }) => commands).join(`\necho; echo '${BREAK}'\n`));
  const { stdout, stderr } = await run('sh', ['-c', script], { timeout: TOUR_TIMEOUT_MS });
  printed = stdout.split(`\n${BREAK}\n`);
  // What npm says about its own settings is the machine's matter.
  complaints = stderr.replaceAll(/^npm warn .*\n/gm, '');
}, 180_000);

afterAll(() => fixture.dispose());

describe('the tour', () => {
  test.each(STEPS.map((step, index) => [index + 1, step.title, step] as const))(
    'step %i prints what is shown: %s',
    (number, _title, { answer }) => {
      const seen = printed[number - 1] ?? '';
      if (!patternOf(answer).test(withoutBlanks(seen))) expect(seen.trim()).toBe(answer.trim());
    },
  );

  test('no command complains', () => {
    expect(complaints).toBe('');
  });
});

/**
 * The blocks of commands in order, each with the block that directly follows it, which is what it prints; without one it
 * prints nothing. The title is what the paragraph before says in bold, or its first line.
 */
function readSteps(text: string): Step[] {
  const blocks = /((?:[^\n]+\n)+)\n```sh\n(.*?)^```\n(?:\n```(?:json|text)\n(.*?)^```\n)?/gms;
  return [...text.matchAll(blocks)].map(([, paragraph = '', commands = '', answer = '']) => {
    const title = /\*\*(.+?)\*\*|^.+$/m.exec(paragraph);
    return { title: title?.[1] ?? title?.[0] ?? '', commands, answer };
  });
}

/** Blanks only lay an answer out, and how depends on the width of ids and times. */
function withoutBlanks(text: string): string {
  return text.replace(/\s+/g, '');
}

/** Matches exactly the answer, but for its placeholders: they stand for some text within one string, or one field of CSV. */
function patternOf(answer: string): RegExp {
  const literal = withoutBlanks(answer).split('…').map(RegExp.escape);
  return new RegExp(`^${literal.join('[^",]+')}$`);
}
