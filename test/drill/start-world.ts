/** The stores and processes of a drill: those of a chaos run, without the tools that faults need. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../chaos/topology/product-process.ts';
import { startWorld } from '../chaos/topology/start-world.ts';
import type { World } from '../chaos/topology/world.ts';

/** A drill breaks nothing but what an operator could; so nothing of this is looked for. */
const NOT_NEEDED = 'a drill does without';
const NO_TOOLS = { noSystemCallFaults: NOT_NEEDED, noSmallDisks: NOT_NEEDED, noMovableClocks: NOT_NEEDED };

/** What a drill is given besides its options. */
export interface Surroundings {
  /** Ends everything that was started, whatever happens. */
  readonly stack: AsyncDisposableStack;
  /** Aborted when the drill is to end early. */
  readonly signal: AbortSignal;
  /** Writes a line for whoever watches. */
  readonly say: (line: string) => void;
}

/** What a drill starts. */
export interface DrillWorldOptions {
  readonly logDirectory: string;
  /** Variables of the product beside the usual ones. */
  readonly environment: Environment;
  /** Told when a process of the product ends by itself. */
  readonly onUnexpectedExit: (message: string) => void;
}

/** Starts one Redis, Postgres, two `serve` and two `archive`; resolves when all are ready. */
export async function startDrillWorld(
  options: DrillWorldOptions,
  { stack, signal, say }: Surroundings,
): Promise<World> {
  await rm(options.logDirectory, { recursive: true, force: true });
  await mkdir(options.logDirectory, { recursive: true });
  const directory = await mkdtemp(join(tmpdir(), 'hongbao-drill-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  return await startWorld({
    topology: 'single',
    machine: NO_TOOLS,
    directory,
    // Proxies stand between the product and its stores, and hand everything on as it is.
    random: () => 0,
    smallDisks: false,
    ...options,
    signal,
    stack,
    say,
  });
}
