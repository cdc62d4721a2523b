/** Runs one schedule from its beginning to the time after all faults, and says which promise it broke, if any. */
import { checkEnd } from '../invariants/check-end.ts';
import { Violation } from '../invariants/violation.ts';
import { installTime } from '../time/install.ts';
import { VirtualTime } from '../time/virtual-time.ts';
import { isUnknown, pursue } from './clients.ts';
import type { Told } from './history.ts';
import type { Schedule } from './plan.ts';
import { CLIENTS, type PlantedFaults, World } from './world.ts';

/** The moment every schedule begins at. */
const START_MS = Date.UTC(2030, 0, 1);
/** Nothing goes wrong after so long; faults that began before end by then, too. */
const FAULTS_END_MS = 1_300;
/** Everything has to be settled so long after that. */
const SETTLE_MS = 7_000;
/** At growing distances. */
const LAST_ATTEMPTS = 40;
/** A run that does more than this many things is stuck in a loop. */
const TASKS_LIMIT = 200_000;

/** How a run went. */
export interface RunResult {
  readonly violation: Violation | undefined;
  /** Time that passed in it, in virtual milliseconds, and things that were done. */
  readonly tookMs: number;
  readonly tasks: number;
}

/** Runs a schedule, with faults planted into the product where the simulation itself is tested. */
export async function runSchedule(schedule: Schedule, planted: PlantedFaults = {}): Promise<RunResult> {
  const time = new VirtualTime(START_MS);
  const uninstall = installTime(time);
  try {
    const violation = await runOn(time, schedule, planted);
    return { violation, tookMs: time.nowMs - START_MS, tasks: time.tasks };
  } finally {
    uninstall();
  }
}

async function runOn(
  time: VirtualTime,
  schedule: Schedule,
  planted: PlantedFaults,
): Promise<Violation | undefined> {
  const world = new World(time, schedule, planted);
  const history: Told[] = schedule.operations.map((operation) => ({ operation, attempts: [] }));
  const renames = planted.renamesRetries ?? false;
  let isAnswered = false;
  world.begin();
  const clients = async (): Promise<void> => {
    await Promise.all(
      history.map(async (told) => {
        await time.sleep(told.operation.atMs);
        await pursue(world, told, told.operation.attempts, renames);
      }),
    );
    await time.sleep(Math.max(0, START_MS + FAULTS_END_MS - time.nowMs));
    await settleAll(world, history, renames);
    isAnswered = true;
  };
  time.schedule(0, () => void clients().catch(world.broke), CLIENTS);
  const endMs = START_MS + FAULTS_END_MS + SETTLE_MS;
  const isOver = (): boolean =>
    world.watch.violation !== undefined ||
    world.failure !== undefined ||
    time.nowMs > endMs ||
    time.tasks > TASKS_LIMIT ||
    (isAnswered && world.isSettled());
  await time.run(isOver);
  if (world.failure !== undefined) return new Violation('code', String(world.failure));
  return world.watch.violation ?? checkEnd(world, history, isAnswered);
}

/** After all faults, whoever does not know what has become of his wish asks until he does. */
async function settleAll(world: World, history: readonly Told[], renames: boolean): Promise<void> {
  await Promise.all(
    history.map(async (told) => {
      const last = told.attempts.at(-1);
      if (last === undefined || !isUnknown(last)) return;
      if (world.refusesWrites && last.kind === 'refused' && last.reason === 'DURABILITY_UNMET') return;
      const operation = { ...told.operation, deadlineMs: 400 };
      const again = { operation, attempts: told.attempts };
      await pursue(world, again, LAST_ATTEMPTS, renames);
    }),
  );
}
