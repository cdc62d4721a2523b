/** `purge-job-runs`: runs of long ago leave the list. */
import type { Sql } from '../database/client.ts';
import type { Job, JobContext, JobCounts } from './job.ts';
import { NOTICE_BATCH_MS, RUNS_KEPT_MS, RUNS_PURGED } from './limits.ts';
import { purgeRuns } from './store/runs.ts';

/** Makes the job. */
export function createPurgeRunsJob(ports: {
  readonly sql: Sql;
  readonly cron: string;
  readonly timeZone: string;
  readonly nowMs: () => number;
}): Job {
  const run = async ({ signal, nowMs, progress }: JobContext): Promise<JobCounts> => {
    let purged = 0;
    for (let batch = RUNS_PURGED; batch === RUNS_PURGED && !signal.aborted; ) {
      batch = await purgeRuns(ports.sql, nowMs - RUNS_KEPT_MS, RUNS_PURGED, ports.nowMs() + NOTICE_BATCH_MS);
      purged += batch;
      progress({ purged });
    }
    return { purged };
  };
  return {
    name: 'purge-job-runs',
    description: 'Removes runs of jobs that are long over.',
    times: { kind: 'cron', cron: ports.cron, timeZone: ports.timeZone },
    isEnabled: true,
    run,
  };
}
