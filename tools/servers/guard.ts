import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/** Ends the watch over a process; call it once the process is gone. */
export type ReleaseGuard = () => void;

/**
 * Sees to it that a store this process started does not outlive it, even when this process is killed with SIGKILL.
 *
 * A small shell waits on a pipe that only this process holds open. The kernel closes the pipe whatever this process
 * dies of, the shell wakes up and passes the signal on. The shell is detached, so a Ctrl-C in the terminal does not
 * reach it and the order of an orderly stop stays in the hands of the caller. A store in a temporary folder goes without an
 * orderly stop, and the folder with it.
 */
export function guardProcess(
  pid: number,
  signal: 'KILL' | 'INT' | 'TERM',
  temporaryFolder?: string,
): ReleaseGuard {
  const script =
    temporaryFolder === undefined
      ? `read -r _; kill -${signal} ${pid} 2>/dev/null`
      : `read -r _; kill -KILL ${pid} 2>/dev/null; sleep 1; rm -rf "$0"`;
  const guard = spawn('sh', ['-c', script, temporaryFolder ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.on('error', () => {});
  guard.unref();
  if (guard.stdin instanceof Socket) guard.stdin.unref();
  return () => {
    guard.kill('SIGKILL');
  };
}
