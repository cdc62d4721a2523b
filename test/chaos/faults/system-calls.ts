/** Faults in the system calls of a running process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const ATTACH_MS = 5_000;

/**
 * Lets strace interfere with a process: `interference` is what follows `inject=`, such as `fdatasync:error=EIO`. Resolves once it
 * does; the answer ends it, also when the process has ended meanwhile.
 */
export async function interfere(
  pid: number,
  call: string,
  interference: string,
): Promise<() => Promise<void>> {
  const rules = ['-e', `trace=${call}`, '-e', `inject=${call}:${interference}`];
  const strace = spawn('strace', ['-f', '-p', String(pid), '-o', '/dev/null', ...rules], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(strace, 'exit');
  const attached = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('strace did not attach')), ATTACH_MS);
    strace.stderr.on('data', (chunk) => {
      if (!String(chunk).includes('attached')) return;
      clearTimeout(timer);
      resolve();
    });
    strace.once('error', reject);
  });
  await attached;
  return async () => {
    strace.kill('SIGINT');
    await exited;
  };
}
