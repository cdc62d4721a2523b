/**
 * A control group of Linux whose processes run only when nobody else wants the core.
 *
 * The idle policy alone does not do that everywhere: where nobody makes groups, the kernel makes one of each session, and the policy
 * orders the processes of one session only. A process of another session that wakes up then waits until the slice of the one that
 * runs is over, milliseconds, however low the latter's priority is. A group that is marked idle gives way at once (Linux 5.15).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { succeeds } from './succeeds.ts';

/** Where the kernel keeps the groups that share out the CPU: first version, second version. */
const ROOTS = ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup'];

/** Name of a group; the id of the process that made it follows. */
const PREFIX = 'hongbao-bench-';

/** How often a group is emptied again, because its processes start others meanwhile. */
const EMPTYINGS_MAX = 10;

/** A group of our own. */
export class IdleGroup {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Undefined where the kernel has no such groups, or this user may not make one. */
  static create(): IdleGroup | undefined {
    for (const root of ROOTS) {
      removeAbandoned(root);
      const directory = join(root, `${PREFIX}${process.pid}-${performance.now()}`);
      if (!succeeds(() => mkdirSync(directory))) continue;
      // Without 'r+' a file would be made where there is none.
      if (succeeds(() => writeFileSync(join(directory, 'cpu.idle'), '1', { flag: 'r+' })))
        return new IdleGroup(directory);
      succeeds(() => rmdirSync(directory));
    }
    return undefined;
  }

  /** Takes a process with all its threads; what it starts later comes along. Throws when it has gone. */
  add(pid: number): void {
    writeFileSync(join(this.#directory, 'cgroup.procs'), String(pid));
  }

  /** Everyone is an ordinary process again, and the group is gone. Safe to call twice. */
  dissolve(): void {
    const parent = join(dirname(this.#directory), 'cgroup.procs');
    for (let emptied = 0; emptied < EMPTYINGS_MAX && existsSync(this.#directory); emptied += 1) {
      for (const pid of pidsIn(this.#directory)) succeeds(() => writeFileSync(parent, String(pid)));
      succeeds(() => rmdirSync(this.#directory));
    }
  }
}

function pidsIn(directory: string): readonly string[] {
  return readFileSync(join(directory, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean);
}

/** Groups of runs that were killed; they can be removed once their processes have gone. */
function removeAbandoned(root: string): void {
  succeeds(() => {
    for (const name of readdirSync(root)) {
      const [pid] = name.startsWith(PREFIX) ? name.slice(PREFIX.length).split('-') : [];
      if (pid !== undefined && !existsSync(`/proc/${pid}`)) succeeds(() => rmdirSync(join(root, name)));
    }
  });
}
