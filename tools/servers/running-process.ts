import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Whether this process id belongs to a living program whose command contains `name`. A dead one that its parent has not
 * collected yet ("zombie") holds no file and no port any more and counts as gone.
 */
export async function isProcessRunning(pid: number, name: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const { state, command } = (await fromProc(pid)) ?? (await fromPs(pid));
  return state !== '' && !state.startsWith('Z') && command.includes(name);
}

/** Whether the system still lists this process id, be it dead, uncollected or another program by now. */
export function isProcessListed(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

interface ProcessFacts {
  readonly state: string;
  readonly command: string;
}

async function fromProc(pid: number): Promise<ProcessFacts | undefined> {
  if (process.platform !== 'linux') return undefined;
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return { state: /^State:\s+(\S+)/m.exec(status)?.[1] ?? '', command };
}

async function fromPs(pid: number): Promise<ProcessFacts> {
  const { stdout } = await run('ps', ['-o', 'stat=,command=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  const [state = '', ...command] = stdout.trim().split(/\s+/);
  return { state, command: command.join(' ') };
}
