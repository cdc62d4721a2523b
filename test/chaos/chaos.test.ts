/** The chaos runner as anybody runs it: a short run with a fixed seed, the end by Ctrl-C, and what it says without starting anything. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const STARTED = 'two serve, two archive';
const RUN_MS = 240_000;

let reports: string;

beforeAll(async () => {
  reports = await mkdtemp(join(tmpdir(), 'hongbao-report-'));
});
afterAll(() => rm(reports, { recursive: true, force: true }));

interface Run {
  readonly child: ChildProcess;
  output(): string;
  ended: Promise<number | null>;
}

function start(...args: readonly string[]): Run {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  const ended = once(child, 'close').then(() => child.exitCode);
  return { child, output: () => output, ended };
}

/** Process ids of everything that descends from a process. */
async function descendants(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=']);
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = [pid];
  for (const parent of found) found.push(...pairs.flatMap(([id = 0, of]) => (of === parent ? [id] : [])));
  return found;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

// SPEC C3 C4
describe('a chaos run', () => {
  it(
    'keeps every promise while processes, stores and connections break (F1 to F34)',
    async () => {
      const directory = join(reports, 'short');
      const run = start('--seed', '1', '--minutes', '0.2', '--report', directory);
      expect(await run.ended, run.output()).toBe(0);
      expect(run.output()).toContain('PASSED: lost 0, doubled 0, oversold 0; 0 violations');
      const report = JSON.parse(await readFile(join(directory, 'report.json'), 'utf8'));
      expect(report.injected.length).toBeGreaterThan(0);
      expect(report.timeline.totals.ok).toBeGreaterThan(0);
      expect(await readFile(join(directory, 'report.html'), 'utf8')).toContain('<svg');
    },
    RUN_MS,
  );

  it(
    'leaves nothing running when it is ended by Ctrl-C',
    async () => {
      const run = start('--seed', '2', '--minutes', '1', '--report', join(reports, 'ended'));
      await expect.poll(run.output, { timeout: RUN_MS }).toContain(STARTED);
      const started = await descendants(run.child.pid ?? 0);
      expect(started.length).toBeGreaterThan(6);
      run.child.kill('SIGINT');
      expect(await run.ended).toBe(130);
      await expect.poll(() => started.filter(isRunning), { timeout: 20_000 }).toEqual([]);
    },
    RUN_MS,
  );
});
