/** Both drills, small and one after the other on the same servers; and what they say to arguments that make no sense. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Surroundings } from '../../tools/command-edge.ts';
import { LOSSES, parseOptions, ROLES } from './options.ts';
import { drillRestore } from './restore/drill-restore.ts';
import { drillRolling } from './rolling/drill-rolling.ts';
import { type DrillWorld, startDrillWorld } from './start-world.ts';

const RECOVERY = new URL('../../docs/recovery.md', import.meta.url);
const RUN_MS = 180_000;

// In this order: a rolling restart is judged by everything that was ever written.
describe('on real processes and stores', { shuffle: false, timeout: RUN_MS }, () => {
  const surroundings: Surroundings = {
    stack: new AsyncDisposableStack(),
    signal: new AbortController().signal,
    say: () => undefined,
  };
  const common = { jsonFile: undefined, command: '' };
  let logDirectory: string;
  let started: DrillWorld;

  beforeAll(async () => {
    logDirectory = await mkdtemp(join(tmpdir(), 'hongbao-drill-logs-'));
    started = await startDrillWorld(logDirectory, surroundings);
  }, RUN_MS);
  afterAll(async () => {
    await surroundings.stack.disposeAsync();
    await rm(logDirectory, { recursive: true, force: true });
  });

  // SPEC C7 C9
  it('a rolling restart fails no call, and everything acknowledged is audited', async () => {
    const load = { ratePerSecond: 30, calmMs: 200, seed: 1 };
    const { report, lines } = await drillRolling(
      started,
      { drill: 'rolling', roles: ['serve'], ...load, ...common, logDirectory },
      surroundings,
    );
    expect(lines.join('\n')).toMatch(/calls: \d+, failed: 0/);
    expect(report).toMatchObject({ failures: [], audited: { lost: 0, doubled: 0, oversold: 0 } });
    const names = report.steps.map(({ name }) => name);
    expect(names).toEqual(['undisturbed', 'serve-1 restarted', 'serve-2 restarted']);
  });

  // SPEC C4
  it('the loss of both stores costs what was written after the newest copy and nothing else, and is documented as it is done', async () => {
    const { report } = await drillRestore(
      started,
      { drill: 'restore', losses: ['both'], writes: 10, ...common, logDirectory },
      surroundings,
    );
    expect(report.failures).toEqual([]);
    const [loss] = report.losses;
    expect(loss).toMatchObject({ missingInAll: loss?.afterCopies, repeated: loss?.afterCopies });
    const documented = await readFile(RECOVERY, 'utf8');
    for (const { command } of loss?.commands ?? []) expect(documented).toContain(command);
  });
});

describe('the arguments', () => {
  it('have defaults', () => {
    expect(parseOptions(['rolling'])).toMatchObject({
      roles: ROLES,
      ratePerSecond: 100,
      calmMs: 3_000,
      seed: 1,
    });
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
    [['rolling', '--roles', 'migrate'], '--roles: of serve, archive, not "migrate"'],
    [['restore', '--fast'], "Unknown option '--fast'"],
  ])('%j are refused', (args, reason) => {
    expect(() => parseOptions(args)).toThrow(reason);
  });
});
