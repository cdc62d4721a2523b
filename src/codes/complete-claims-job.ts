/** The job `complete-code-claims`: goes on with claims of codes that a crash or an unknown outcome has left unfinished. */
import type { Sql } from '../database/client.ts';
import type { Job, JobContext, JobCounts } from '../jobs/job.ts';
import type { CodeClaims } from './claim-code.ts';
import * as limits from './limits.ts';
import { takeUnfinishedClaims } from './store/claimed-codes.ts';

/** What the job works with. */
export interface CompleteClaimsPorts {
  readonly sql: Sql;
  readonly claims: Pick<CodeClaims, 'complete'>;
  readonly nowMs: () => number;
}

/** Makes the job. */
export function createCompleteCodeClaimsJob(ports: CompleteClaimsPorts): Job {
  return {
    name: 'complete-code-claims',
    description: 'Finishes claims of single-use codes that were interrupted between binding and coupon.',
    times: { kind: 'every', everyMs: limits.COMPLETE_EVERY_MS },
    isEnabled: true,
    run: (context) => run(ports, context),
  };
}

async function run({ sql, claims, nowMs }: CompleteClaimsPorts, context: JobContext): Promise<JobCounts> {
  const counts = { issued: 0, freed: 0, left: 0 };
  while (!context.signal.aborted) {
    const deadlineMs = nowMs() + limits.JOB_STATEMENT_MS;
    const codes = await takeUnfinishedClaims(sql, limits.CLAIMS_PER_STEP, deadlineMs);
    if (codes.length === 0) break;
    for (const code of codes) {
      // What is left here has been put off by the taking, and comes again.
      const outcome = await claims.complete(code, deadlineMs).catch(() => 'left' as const);
      counts[outcome] += 1;
    }
    context.progress({ ...counts });
  }
  return counts;
}
