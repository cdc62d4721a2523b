/** What this machine lets a run do. Probed once; what is missing is said with the faults that are skipped for it. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What was found. A text says why something does not work; undefined means that it works. */
export interface Machine {
  /** Faults in system calls of a running process, through strace. */
  readonly noSystemCallFaults: string | undefined;
  /** File systems of a few megabytes. */
  readonly noSmallDisks: string | undefined;
  /** Clocks of single processes that can be moved, through a library made by the C compiler. */
  readonly noMovableClocks: string | undefined;
}

/** Tries everything once. */
export async function probeMachine(): Promise<Machine> {
  const [noSystemCallFaults, noSmallDisks, noMovableClocks] = await Promise.all([
    probeSystemCallFaults(),
    probeSmallDisks(),
    probeMovableClocks(),
  ]);
  return { noSystemCallFaults, noSmallDisks, noMovableClocks };
}

async function reasonOf(what: string, attempt: () => Promise<unknown>): Promise<string | undefined> {
  return await attempt().then(
    () => undefined,
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      return `${what}: ${message.split('\n').slice(0, 2).join(' ').trim()}`;
    },
  );
}

function probeSystemCallFaults(): Promise<string | undefined> {
  const probe = ['-qq', '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO', 'true'];
  return reasonOf('strace does not work here', () => run('strace', probe, { timeout: 5_000 }));
}

async function probeSmallDisks(): Promise<string | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'hongbao-mount-'));
  try {
    return await reasonOf('small file systems cannot be mounted here', async () => {
      await mountSmallDisk(directory, 1);
      await unmount(directory);
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function probeMovableClocks(): Promise<string | undefined> {
  if (process.platform !== 'linux') return Promise.resolve('clocks are moved on Linux only');
  return reasonOf('no C compiler for a movable clock', () => run('cc', ['--version'], { timeout: 5_000 }));
}

/** Mounts an empty file system of so many megabytes; anybody may write there. */
export async function mountSmallDisk(directory: string, megabytes: number): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0777`, 'hongbao-chaos', directory], {
    timeout: 5_000,
  });
}

/** Takes it away again, even while something holds a file there. */
export async function unmount(directory: string): Promise<void> {
  await run('umount', ['--lazy', directory], { timeout: 5_000 });
}
