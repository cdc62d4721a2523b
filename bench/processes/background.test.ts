import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { Background } from './background.ts';
import { pidsOf } from './cpu-time.ts';

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

function isInBackground(pid: number): boolean {
  return /SCHED_IDLE/.test(policyOf(pid)) && / 19$/m.test(readFileSync(`/proc/${pid}/autogroup`, 'latin1'));
}

// SPEC C6
test.skipIf(!existsSync('/proc/self/autogroup'))(
  'processes in the background give way, each session of them, those started later too',
  async () => {
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
    expect(policyOf(pid)).toMatch(/SCHED_OTHER/);
  },
  60_000,
);

function isSleeper(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('60');
}
