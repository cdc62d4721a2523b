/**
 * The job `generate-codes`: makes the codes that were asked for, a batch per statement. Each batch moves its job on in the
 * same statement, so a run that is cut off anywhere is carried on by the next one, and two at once do not make one code
 * too many.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Sql } from '../database/client.ts';
import { MS_PER_DAY } from '../domain/durations.ts';
import type { Job, JobContext, JobCounts } from '../jobs/job.ts';
import type { CodeSecrets } from './code-secrets.ts';
import { drawCode, normaliseCode } from './code-text.ts';
import * as limits from './limits.ts';
import {
  type CodeJobRow,
  insertBatch,
  nextGeneration,
  purgeCiphers,
  type SealedCode,
} from './store/code-jobs.ts';

/** What the job works with. */
export interface GenerateCodesPorts {
  readonly sql: Sql;
  readonly secrets: CodeSecrets;
  /** Days of 24 hours for which codes can be exported after they were made. */
  readonly exportDays: number;
  readonly nowMs: () => number;
}

/** Makes the job. It also removes the ciphertexts of codes that can no longer be exported. */
export function createGenerateCodesJob(ports: GenerateCodesPorts): Job {
  return {
    name: 'generate-codes',
    description:
      'Makes the single-use codes that were asked for, and forgets those that were to be exported.',
    times: { kind: 'every', everyMs: limits.GENERATE_EVERY_MS },
    isEnabled: true,
    run: (context) => run(ports, context),
  };
}

async function run(ports: GenerateCodesPorts, context: JobContext): Promise<JobCounts> {
  let made = 0;
  while (!context.signal.aborted) {
    const job = await nextGeneration(ports.sql, deadlineOf(ports));
    if (job === undefined) break;
    await makeCodes(ports, job, context.signal, (count) => {
      made += count;
      context.progress({ made });
    });
  }
  while (!context.signal.aborted) {
    if (!(await purgeCiphers(ports.sql, limits.CIPHERS_PER_PURGE, deadlineOf(ports)))) break;
  }
  return { made };
}

async function makeCodes(
  ports: GenerateCodesPorts,
  job: CodeJobRow,
  signal: AbortSignal,
  count: (made: number) => void,
): Promise<void> {
  const total = Number(job.total);
  let made = Number(job.made);
  while (made < total && !signal.aborted) {
    const codes = await drawBatch(ports, job, Math.min(limits.CODES_PER_BATCH, total - made));
    const exportableUntilMs = ports.nowMs() + ports.exportDays * MS_PER_DAY;
    const place = { number: job.number, made, exportableUntilMs };
    const outcome = await insertBatch(ports.sql, place, codes, deadlineOf(ports));
    // Another process moved the job on; the next look shows how far it is.
    if (outcome === undefined) return;
    count(outcome.made - made);
    made = outcome.made;
  }
}

async function drawBatch(
  { secrets }: GenerateCodesPorts,
  { prefix, length }: CodeJobRow,
  size: number,
): Promise<SealedCode[]> {
  const codes: SealedCode[] = [];
  while (codes.length < size) {
    const code = drawCode(prefix, length);
    const hash = secrets.digest(normaliseCode(code));
    codes.push({ hash, cipher: secrets.seal(code, hash) });
    if (codes.length % limits.CODES_PER_TURN === 0) await nextTurn();
  }
  // In the order of the primary key, so that two batches at once cannot wait for each other in a circle.
  return codes.sort((left, right) => Buffer.compare(left.hash, right.hash));
}

function deadlineOf({ nowMs }: GenerateCodesPorts): number {
  return nowMs() + limits.JOB_STATEMENT_MS;
}
