/** Jobs and their runs as callers see them. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  type JobRunSchema,
  JobRunState,
  type JobSchema,
  JobTrigger,
} from '../gen/hongbao/v1/job_service_pb.ts';
import type { JobView } from '../jobs/run-requests.ts';
import type { RunState, StoredRun } from '../jobs/store/runs.ts';

const STATES: Readonly<Record<RunState, JobRunState>> = {
  waiting: JobRunState.RUNNING,
  running: JobRunState.RUNNING,
  done: JobRunState.DONE,
  failed: JobRunState.FAILED,
  abandoned: JobRunState.ABANDONED,
};

/** The message of a run. */
export function jobRunMessage(run: StoredRun): MessageInitShape<typeof JobRunSchema> {
  const counts = Object.entries(run.counts).map(([name, count]) => [name, BigInt(count)] as const);
  return {
    runId: run.id,
    job: run.job,
    trigger: run.trigger === 'manual' ? JobTrigger.BY_HAND : JobTrigger.SCHEDULE,
    actor: run.actor,
    state: STATES[run.state],
    scheduledAt: timestampFromDate(run.scheduled_at),
    ...(run.started_at !== null && { startedAt: timestampFromDate(run.started_at) }),
    ...(run.finished_at !== null && { finishedAt: timestampFromDate(run.finished_at) }),
    counts: Object.fromEntries(counts),
    error: run.error,
  };
}

/** The message of a job. */
export function jobMessage({ job, lastRun }: JobView): MessageInitShape<typeof JobSchema> {
  return {
    name: job.name,
    cron: job.cron ?? '',
    timeZone: job.time_zone ?? '',
    enabled: job.is_enabled,
    ...(lastRun !== undefined && { lastRun: jobRunMessage(lastRun) }),
    ...(job.next_run_at !== null && { nextRunAt: timestampFromDate(job.next_run_at) }),
  };
}
