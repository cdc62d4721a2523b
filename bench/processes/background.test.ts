import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { Background } from './background.ts';
import { pidsOf } from './cpu-time.ts';
import { IdleGroup } from './idle-group.ts';

/** A process in a session of its own, which starts another one that has its own session, too, after a second and a half. */
function startFamily(stack: AsyncDisposableStack): number {
  const { pid } = spawn('sh', ['-c', 'sleep 1.5; setsid sleep 60 & wait'], {
    detached: true,
    stdio: 'ignore',
  });
  if (pid === undefined) throw new Error('there is no sh');
  stack.defer(() => {
    for (const each of pidsOf({ name: 'family', pids: [pid], withChildren: true })) process.kill(each);
  });
  return pid;
}

function policyOf(pid: number): string {
  return execFileSync('chrt', ['--pid', String(pid)], { encoding: 'utf8' });
}

function isRankedLast(pid: number): boolean {
  return /SCHED_IDLE/.test(policyOf(pid)) && / 19$/m.test(readFileSync(`/proc/${pid}/autogroup`, 'latin1'));
}

function isInIdleGroup(pid: number): boolean {
  return /\/hongbao-bench-/.test(readFileSync(`/proc/${pid}/cgroup`, 'latin1'));
}

function isSleeper(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('60');
}

async function checkFamily(isInBackground: (pid: number) => boolean): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const pid = startFamily(stack);
  const group = { name: 'family', pids: [pid], withChildren: true };
  const background = new Background([group], stack);
  expect(isInBackground(pid)).toBe(true);
  await vi.waitFor(() => expect(pidsOf(group).some((each) => each !== pid && isSleeper(each))).toBe(true), {
    timeout: 20_000,
  });
  await vi.waitFor(() => expect(pidsOf(group).every(isInBackground)).toBe(true), { timeout: 20_000 });
  background.bringBack();
  expect(pidsOf(group).some(isInBackground)).toBe(false);
  expect(policyOf(pid)).toMatch(/SCHED_OTHER/);
}

const FAMILY_LIMIT_MS = 60_000;

// SPEC C6: what is measured must not wait for what is not.
test.skipIf(!existsSync('/proc/self/autogroup'))(
  'processes in the background give way, each session of them, those started later too',
  async () => {
    const none = vi.spyOn(IdleGroup, 'create').mockReturnValue(undefined);
    try {
      await checkFamily(isRankedLast);
    } finally {
      none.mockRestore();
    }
  },
  FAMILY_LIMIT_MS,
);

const canGroup = ((): boolean => {
  const group = IdleGroup.create();
  group?.dissolve();
  return group !== undefined;
})();

// SPEC C6
test.skipIf(!canGroup)(
  'where the kernel has groups that are idle, they are in one',
  () => checkFamily(isInIdleGroup),
  FAMILY_LIMIT_MS,
);
