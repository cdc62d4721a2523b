/**
 * Processes that use only the time nobody else wants: archive and Postgres. They work after the answer, and in production on other
 * machines; here they share two cores with Redis, the server and the generator, which must not wait for them. What they are behind
 * with is waited for after each measurement.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { pidsOf, type WatchedGroup } from './cpu-time.ts';
import { IdleGroup } from './idle-group.ts';
import { unpinProcess } from './pinning.ts';
import { succeeds } from './succeeds.ts';

/** How often processes that were started meanwhile are looked for, in milliseconds: Postgres has one for each connection. */
const LOOK_MS = 1_000;

/** Processes kept in the background, and those they start. */
export class Background {
  readonly #groups: readonly WatchedGroup[];
  readonly #timer: NodeJS.Timeout;
  readonly #settled = new Set<number>();
  readonly #idleGroup = IdleGroup.create();

  /** They are in the background from now on, until `bringBack` or the stack's end. */
  constructor(groups: readonly WatchedGroup[], stack: AsyncDisposableStack) {
    this.#groups = groups;
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
    stack.defer(() => this.#end());
  }

  /**
   * They get their share again, on all cores, for good. Who is not root may not raise the priority of a session: it stays low,
   * and what they do then takes longer.
   */
  bringBack(): void {
    this.#end();
    for (const pid of this.#groups.flatMap(pidsOf)) {
      if (this.#idleGroup === undefined) succeeds(() => rank(pid, NORMAL));
      succeeds(() => unpinProcess(pid));
    }
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#idleGroup?.dissolve();
  }

  #look(): void {
    for (const pid of this.#groups.flatMap(pidsOf))
      if (!this.#settled.has(pid) && succeeds(() => this.#lower(pid))) this.#settled.add(pid);
  }

  #lower(pid: number): void {
    if (this.#idleGroup === undefined) rank(pid, LOWEST);
    else this.#idleGroup.add(pid);
  }
}

interface Rank {
  /** Linux's policy, as chrt calls it. */
  readonly policy: string;
  /** Where chrt is missing, and of the session. */
  readonly priority: number;
}

const LOWEST: Rank = { policy: '--idle', priority: constants.priority.PRIORITY_LOW };
const NORMAL: Rank = { policy: '--other', priority: constants.priority.PRIORITY_NORMAL };

/** Where no group can be made; it comes close. */
function rank(pid: number, wanted: Rank): void {
  rankProcess(pid, wanted);
  rankSession(pid, wanted);
}

function rankProcess(pid: number, { policy, priority }: Rank): void {
  try {
    execFileSync('chrt', ['--all-tasks', policy, '--pid', '0', String(pid)], { stdio: 'ignore' });
  } catch {
    setPriority(pid, priority);
  }
}

/**
 * Policy and priority order the processes of one session only, and each of these has a session of its own: between sessions Linux
 * shares out time evenly, unless told otherwise here (sched(7), "The autogroup feature").
 */
function rankSession(pid: number, { priority }: Rank): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(priority));
  } catch (error) {
    // A kernel without sessions' priorities needs none.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
