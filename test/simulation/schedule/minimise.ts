/** Makes a failing schedule small: whatever can be left out while it goes on failing in the same way is left out. */
import type { Schedule } from './plan.ts';
import { runSchedule } from './run-schedule.ts';
import type { PlantedFaults } from './world.ts';

type Part = 'faults' | 'operations';

/** The smallest schedule found that breaks the same invariant. */
export async function minimise(schedule: Schedule, planted: PlantedFaults = {}): Promise<Schedule> {
  const { violation } = await runSchedule(schedule, planted);
  const fails = async (smaller: Schedule): Promise<boolean> => {
    const found = await runSchedule(smaller, planted);
    return found.violation !== undefined && found.violation.invariant === violation?.invariant;
  };
  let smallest = schedule;
  for (let before = -1; sizeOf(smallest) !== before; ) {
    before = sizeOf(smallest);
    smallest = await without(smallest, 'faults', fails);
    smallest = await without(smallest, 'operations', fails);
  }
  return smallest;
}

function sizeOf({ faults, operations }: Schedule): number {
  return faults.length + operations.length;
}

/** Leaves out runs of items, long ones first. */
async function without(
  schedule: Schedule,
  part: Part,
  fails: (smaller: Schedule) => Promise<boolean>,
): Promise<Schedule> {
  let current = schedule;
  for (
    let length = Math.ceil(current[part].length / 2);
    length > 0;
    length = length > 1 ? Math.ceil(length / 2) : 0
  ) {
    for (let at = 0; at < current[part].length; ) {
      const smaller = { ...current, [part]: current[part].toSpliced(at, length) };
      if (await fails(smaller)) current = smaller;
      else at += length;
    }
  }
  return current;
}
