/** The core process: one job as JSON on standard input, one result as JSON on standard output. */
import { text } from 'node:stream/consumers';
import type { CoreJob } from './core-job.ts';
import { measureEngine } from './measure-engine.ts';

const job: CoreJob = JSON.parse(await text(process.stdin));
const result =
  job.kind === 'engine'
    ? await measureEngine(job)
    : await (await import('./measure-combine.ts')).measureCombine(job);
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
