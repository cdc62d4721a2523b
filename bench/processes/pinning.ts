/**
 * Which core does what. The measured server stays on one core, generator and archive on the other; without that the kernel
 * moves them around, and runs cannot be compared. The stores run where there is time.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';

/** Core of the measured server, and core of everything else. */
export const SERVER_CORE = 0;
export const HELPER_CORE = 1;

/** Whether processes can be bound to cores here: Linux with taskset and at least two cores. */
export const canPin: boolean = availableParallelism() >= 2 && hasTaskset();

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Binds a running process, with all its threads, to a core; children it starts later inherit that. */
export function pinProcess(pid: number, core: number): void {
  if (canPin)
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(pid)], {
      stdio: 'ignore',
    });
}

/** Lets a process run on any core, with what it starts later. For stores: a production system has them elsewhere, with time of their own. */
export function unpinProcess(pid: number): void {
  if (canPin)
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', `0-${cpus().length - 1}`, String(pid)], {
      stdio: 'ignore',
    });
}

/** A command line that runs bound to a core. taskset replaces itself, so the process keeps the id it was started with. */
export function pinnedCommand(core: number, command: readonly string[]): readonly string[] {
  return canPin ? ['taskset', '--cpu-list', String(core), ...command] : command;
}
