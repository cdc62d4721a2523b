/** Runs one job in a core process of its own, bound to the core where servers are measured. */
import { fileURLToPath } from 'node:url';
import { NodeProcess } from '../processes/node-process.ts';
import { SERVER_CORE } from '../processes/pinning.ts';
import type {
  CombineJob,
  CombineResult,
  CoreJob,
  EngineJob,
  EngineResult,
  MatchesJob,
  MatchesResult,
} from './core-job.ts';

const FILE = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Longest time of one job: the slowest engine takes seconds to load and to answer. */
const LIMIT_MS = 180_000;

/** The result of a job; fails when its process does. */
export function runCoreJob(job: EngineJob): Promise<EngineResult>;
export function runCoreJob(job: CombineJob): Promise<CombineResult>;
export function runCoreJob(job: MatchesJob): Promise<MatchesResult>;
export async function runCoreJob(job: CoreJob): Promise<unknown> {
  const name = job.kind === 'combine' ? 'combiner' : `${job.engine} with ${job.idle} idle promotions`;
  const worker = new NodeProcess({ name, file: FILE, core: SERVER_CORE });
  return JSON.parse(await worker.exchange(JSON.stringify(job), LIMIT_MS));
}
