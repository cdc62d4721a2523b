/** The stores and processes of a drill: those of a chaos run, without the tools that faults need. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Surroundings } from '../../tools/command-edge.ts';
import { startWorld } from '../chaos/topology/start-world.ts';
import type { World } from '../chaos/topology/world.ts';

/** A drill breaks nothing but what an operator could; so nothing of this is looked for. */
const NOT_NEEDED = 'a drill does without';
const NO_TOOLS = { noSystemCallFaults: NOT_NEEDED, noSmallDisks: NOT_NEEDED, noMovableClocks: NOT_NEEDED };

/** What a drill works on. */
export interface DrillWorld {
  readonly world: World;
  /** What did not hold so far: a process that ended by itself. */
  readonly failures: string[];
}

/** Wait between "not ready" and the end of new connections, ms; shorter than in production, where balancers look less often. */
export const READINESS_DELAY_MS = 1_000;

/** Starts one Redis, Postgres, two `serve` and two `archive`; resolves when all are ready. */
export async function startDrillWorld(
  logDirectory: string,
  { stack, signal, say }: Surroundings,
): Promise<DrillWorld> {
  await rm(logDirectory, { recursive: true, force: true });
  await mkdir(logDirectory, { recursive: true });
  const directory = await mkdtemp(join(tmpdir(), 'hongbao-drill-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const failures: string[] = [];
  const world = await startWorld({
    topology: 'single',
    machine: NO_TOOLS,
    directory,
    // Proxies stand between the product and its stores, and hand everything on as it is.
    random: () => 0,
    smallDisks: false,
    environment: { HONGBAO_DRAIN_READINESS_DELAY_MS: String(READINESS_DELAY_MS) },
    logDirectory,
    onUnexpectedExit: (text) => failures.push(text),
    signal,
    stack,
    say,
  });
  say('two serve, two archive, Redis, Postgres');
  return { world, failures };
}
