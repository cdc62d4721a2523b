/** Runs one job in a generator process of its own, on the core of the helpers. */
import { fileURLToPath } from 'node:url';
import type { LoadJob, LoadResult } from '../load/job.ts';
import { NodeProcess } from '../processes/node-process.ts';
import { HELPER_CORE } from '../processes/pinning.ts';

const GENERATOR = fileURLToPath(new URL('../load/main.ts', import.meta.url));

/** Time beyond its windows in which a generator must have started, drained and reported. */
const SLACK_MS = 60_000;

/** The result of the job; fails when the generator does. */
export async function runLoad(job: LoadJob): Promise<LoadResult> {
  const generator = new NodeProcess({ name: `${job.kind} generator`, file: GENERATOR, core: HELPER_CORE });
  return JSON.parse(await generator.exchange(JSON.stringify(job), job.warmUpMs + job.measureMs + SLACK_MS));
}
