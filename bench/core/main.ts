/** The core process: one job as JSON on standard input, one result as JSON on standard output. */
import { text } from 'node:stream/consumers';
import type { CoreJob } from './core-job.ts';
import { askEngine, measureEngine } from './measure-engine.ts';

/** The combiner is imported when it is asked for: our engine must not be in the process of another one. */
async function run(job: CoreJob): Promise<unknown> {
  switch (job.kind) {
    case 'matches':
      return await askEngine(job);
    case 'engine':
      return await measureEngine(job);
    case 'combine':
      return await (await import('./measure-combine.ts')).measureCombine(job);
  }
}

const result = await run(JSON.parse(await text(process.stdin)));
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
