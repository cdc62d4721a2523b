/** CPU time of processes and cores, read from /proc. Only Linux has it; elsewhere the figures are zero and the report says so. */
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks per second in /proc; fixed at 100 for every Linux user interface. */
const TICKS_PER_SECOND = 100;
const MICROSECONDS_PER_TICK = 1_000_000 / TICKS_PER_SECOND;

/** A group of processes whose time is shown as one figure: each process, and its children when asked. */
export interface WatchedGroup {
  readonly name: string;
  readonly pids: readonly number[];
  /** Also the direct children, as with Postgres, which has one process per connection. */
  readonly withChildren?: boolean;
}

/** Microseconds of CPU each group has used since its processes started. */
export function readCpuMicroseconds(groups: readonly WatchedGroup[]): Map<string, number> {
  return new Map(groups.map((group) => [group.name, sumGroup(group)]));
}

function sumGroup(group: WatchedGroup): number {
  return pidsOf(group).reduce((sum, pid) => sum + processMicroseconds(pid, group.withChildren === true), 0);
}

/** The processes of a group at this moment. */
export function pidsOf({ pids, withChildren }: WatchedGroup): readonly number[] {
  return withChildren === true ? [...new Set([...pids, ...childrenOf(pids)])] : pids;
}

function childrenOf(pids: readonly number[]): number[] {
  const wanted = new Set(pids);
  return readProcesses().filter((pid) => wanted.has(Number(readStat(pid)?.[1])));
}

function readProcesses(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** Time of one process; with `reaped`, of its ended children too. Zero when it is gone. */
function processMicroseconds(pid: number, reaped: boolean): number {
  const fields = readStat(pid);
  if (fields === undefined) return 0;
  const [userTicks = 0, systemTicks = 0, childUserTicks = 0, childSystemTicks = 0] = fields
    .slice(11, 15)
    .map(Number);
  const ticks = userTicks + systemTicks + (reaped ? childUserTicks + childSystemTicks : 0);
  return ticks * MICROSECONDS_PER_TICK;
}

/** The fields behind the process name, which may itself hold spaces: state, parent, and so on. */
function readStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Ticks a core has spent in all states and doing nothing. */
export interface CoreTicks {
  readonly total: number;
  readonly idle: number;
}

/** Ticks of every core, in order. */
export function readCoreTicks(): CoreTicks[] {
  return readProcStat()
    .filter((line) => /^cpu\d/.test(line))
    .map((line) => {
      const ticks = line.split(/\s+/).slice(1, 9).map(Number);
      const total = ticks.reduce((sum, value) => sum + value, 0);
      return { total, idle: (ticks[3] ?? 0) + (ticks[4] ?? 0) };
    });
}

function readProcStat(): string[] {
  try {
    return readFileSync('/proc/stat', 'latin1').split('\n');
  } catch {
    return [];
  }
}

/** Share of time each core was busy between two readings, 0 to 1. */
export function busyShares(before: readonly CoreTicks[], after: readonly CoreTicks[]): number[] {
  return after.map((core, index) => {
    const start = before[index] ?? core;
    const total = core.total - start.total;
    return total === 0 ? 0 : 1 - (core.idle - start.idle) / total;
  });
}

/** Microseconds of CPU the children of this process have used, counting those that have ended. */
export function readChildrenMicroseconds(): number {
  const [userTicks = 0, systemTicks = 0] = (readStat(process.pid) ?? []).slice(13, 15).map(Number);
  return (userTicks + systemTicks) * MICROSECONDS_PER_TICK;
}
