/** The drills as operators run them, small; and what they say to arguments that make no sense. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOSSES, parseOptions } from './options.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const RECOVERY = new URL('../../docs/recovery.md', import.meta.url);
const RUN_MS = 240_000;

let reports: string;

beforeAll(async () => {
  reports = await mkdtemp(join(tmpdir(), 'hongbao-drill-report-'));
});
afterAll(() => rm(reports, { recursive: true, force: true }));

/** Runs a drill; answers with its report and what it printed. Fails the test when it ends with another code than 0. */
async function drill(name: string, ...args: readonly string[]) {
  const file = join(reports, `${name}.json`);
  const logs = join(reports, name);
  const { stdout } = await promisify(execFile)(process.execPath, [
    MAIN,
    name,
    ...args,
    ...['--json', file, '--logs', logs],
  ]);
  return { report: JSON.parse(await readFile(file, 'utf8')), output: stdout };
}

// SPEC C7 C9
describe('a rolling restart', () => {
  it(
    'fails no call, and everything acknowledged is audited',
    async () => {
      const { report, output } = await drill('rolling', '--rate', '30', '--seconds', '1');
      expect(output).toMatch(/calls: \d+, failed: 0/);
      expect(report).toMatchObject({ passed: true, audited: { lost: 0, doubled: 0, oversold: 0 } });
      const names = report.steps.map(({ name }: { name: string }) => name);
      expect(names).toEqual([
        'undisturbed',
        ...['serve-1', 'serve-2', 'archive-1', 'archive-2'].map((name) => `${name} restarted`),
      ]);
    },
    RUN_MS,
  );
});

// SPEC C4
describe('the loss of both stores', () => {
  it(
    'costs what was written after the newest copy and nothing else, and is documented as it is done',
    async () => {
      const { report } = await drill('restore', '--losses', 'both', '--writes', '20');
      expect(report).toMatchObject({ passed: true });
      const [loss] = report.losses;
      expect(loss.missingInAll).toBe(loss.afterCopies);
      expect(loss.repeated).toBe(loss.missingInAll);
      const documented = await readFile(RECOVERY, 'utf8');
      for (const { command } of loss.commands) expect(documented).toContain(command);
    },
    RUN_MS,
  );
});

describe('the arguments', () => {
  it('have defaults', () => {
    expect(parseOptions(['rolling'])).toMatchObject({ ratePerSecond: 100, calmMs: 3_000, seed: 1 });
    expect(parseOptions(['restore'])).toMatchObject({ writes: 300, losses: LOSSES });
    expect(parseOptions(['restore', '--losses', 'both,redis'])).toMatchObject({ losses: ['redis', 'both'] });
    expect(parseOptions(['--help'])).toEqual({ drill: 'help' });
  });

  it.each([
    [[], 'which drill: rolling or restore, not ""'],
    [['failover'], 'which drill: rolling or restore, not "failover"'],
    [['rolling', 'restore'], 'which drill: rolling or restore, not "rolling restore"'],
    [['rolling', '--rate', '0'], '--rate: a whole number from 1 to 2000, not "0"'],
    [['rolling', '--writes', '5'], '--writes: belongs to restore, not to rolling'],
    [['restore', '--seed', '5'], '--seed: belongs to rolling, not to restore'],
    [['restore', '--writes', '1e3'], '--writes: a whole number from 1 to 5000, not "1e3"'],
    [['restore', '--losses', 'disk'], '--losses: of redis, postgres, both, both-without-files, not "disk"'],
    [['restore', '--fast'], "Unknown option '--fast'"],
  ])('%j are refused', (args, reason) => {
    expect(() => parseOptions(args)).toThrow(reason);
  });
});
