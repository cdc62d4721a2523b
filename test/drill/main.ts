/** The drills' process edge: arguments, files, signals, exit code. 0: everything held; 1: something did not; 2: it could not run. */
import { writeFile } from 'node:fs/promises';
import {
  type DrillOptions,
  parseOptions,
  type RestoreOptions,
  type RollingOptions,
  USAGE,
} from './options.ts';
import type { DrillResult } from './report.ts';
import { drillRestore } from './restore/drill-restore.ts';
import { drillRolling } from './rolling/drill-rolling.ts';
import { type Surroundings, startDrillWorld } from './start-world.ts';

const EXIT_BROKEN = 1;
const EXIT_FAILED = 2;
/** No drill may take longer, ms. */
const LONGEST_MS = 120_000;

const stack = new AsyncDisposableStack();
const ending = new AbortController();

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    console.error(`${signal}: ending everything that was started`);
    ending.abort();
    void stack.disposeAsync().finally(() => process.exit(code));
  });
}

async function main(options: RollingOptions | RestoreOptions): Promise<number> {
  await using everything = stack;
  const startedMs = Date.now();
  const say = (line: string): void => {
    console.error(`${((Date.now() - startedMs) / 1_000).toFixed(1).padStart(6)} s  ${line}`);
  };
  const { report, lines } = await inTime(
    carryOut(options, { stack: everything, signal: ending.signal, say }),
  );
  if (options.jsonFile !== undefined)
    await writeFile(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  console.log(lines.join('\n'));
  return report.passed ? 0 : EXIT_BROKEN;
}

async function carryOut(
  options: RollingOptions | RestoreOptions,
  surroundings: Surroundings,
): Promise<DrillResult> {
  const started = await startDrillWorld(options.logDirectory, surroundings);
  return options.drill === 'rolling'
    ? await drillRolling(started, options, surroundings)
    : await drillRestore(started, options, surroundings);
}

async function inTime<Value>(drill: Promise<Value>): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`the drill was not over within ${LONGEST_MS} ms`)),
    LONGEST_MS,
  );
  try {
    return await Promise.race([drill, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function readOptions(): DrillOptions | undefined {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return undefined;
  }
}

const options = readOptions();
try {
  if (options === undefined) process.exitCode = EXIT_FAILED;
  else if (options.drill === 'help') console.log(USAGE);
  else process.exitCode = await main(options);
} catch (error) {
  // What fails after a signal fails because of it, and is not worth a word.
  if (!ending.signal.aborted) console.error(error);
  process.exitCode = EXIT_FAILED;
}
