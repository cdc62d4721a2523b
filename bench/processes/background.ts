/**
 * Processes that use only the time nobody else wants: archive and Postgres. They work after the answer, and in production on other
 * machines; here they share two cores with Redis, the server and the generator, which must not wait for them. What they are behind
 * with is waited for after each measurement.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { pidsOf, type WatchedGroup } from './cpu-time.ts';

/** How often processes that were started meanwhile are looked for, in milliseconds: Postgres has one for each connection. */
const LOOK_MS = 1_000;

/** Keeps these processes, and those they start, in the background until the stack ends. */
export function keepInBackground(groups: readonly WatchedGroup[], stack: AsyncDisposableStack): void {
  const settled = new Set<number>();
  const look = (): void => {
    for (const pid of groups.flatMap(pidsOf)) if (!settled.has(pid) && runInBackground(pid)) settled.add(pid);
  };
  look();
  const timer = setInterval(look, LOOK_MS).unref();
  stack.defer(() => clearInterval(timer));
}

/** False when it has to be tried again: the process has gone, or the kernel takes no more changes at this moment. */
function runInBackground(pid: number): boolean {
  try {
    makeIdle(pid);
    lowerSession(pid);
    return true;
  } catch {
    return false;
  }
}

/** Linux's idle policy; the lowest priority where chrt is missing. */
function makeIdle(pid: number): void {
  try {
    execFileSync('chrt', ['--all-tasks', '--idle', '--pid', '0', String(pid)], { stdio: 'ignore' });
  } catch {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  }
}

/**
 * Policy and priority order the processes of one session only, and each of these has a session of its own: between sessions Linux
 * shares out time evenly, unless told otherwise here (sched(7), "The autogroup feature").
 */
function lowerSession(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(constants.priority.PRIORITY_LOW));
  } catch (error) {
    // A kernel without sessions' priorities needs none.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
