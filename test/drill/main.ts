/** The drills' command: files, what is printed, and the time it may take. It holds when nothing failed or was lost that should not be. */
import { writeFile } from 'node:fs/promises';
import { runAsProcess, type Surroundings, sayWithSeconds } from '../../tools/command-edge.ts';
import { parseOptions, type RestoreOptions, type RollingOptions, USAGE } from './options.ts';
import type { DrillResult } from './report.ts';
import { drillRestore } from './restore/drill-restore.ts';
import { drillRolling } from './rolling/drill-rolling.ts';
import { startDrillWorld } from './start-world.ts';

/** No drill may take longer, ms. */
const LONGEST_MS = 120_000;

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

await runAsProcess({
  usage: USAGE,
  parse: parseOptions,
  async run(options, { stack, signal, say }) {
    if (options.drill === 'help') {
      console.log(USAGE);
      return true;
    }
    const drill = carryOut(options, { stack, signal, say: sayWithSeconds(say) });
    const { report, lines } = await inTime(drill);
    if (options.jsonFile !== undefined)
      await writeFile(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
    console.log(lines.join('\n'));
    return report.passed;
  },
});
