/** Every bound of the jobs in one place, each with its unit and the reason for its value. */

/** How often the leader looks for what is due, ms: part of the delay of every job. */
export const TICK_MS = 100;
/** How often the leader looks for runs that staff asked for, ms: they begin within a second. */
export const REQUEST_POLL_MS = 500;
/** How often a process that does not lead asks to, ms: with the lease, the time without a leader. */
export const STANDBY_POLL_MS = 500;
/** Share of the lease after which the leader renews it. */
export const RENEWALS_PER_LEASE = 3;
/**
 * Share of the lease without renewal after which the leader ends its runs: before the next leader can begin them, by what
 * is left of the lease.
 */
export const LEASE_TRUSTED_SHARE = 2 / 3;

/** One statement of the scheduler may take this long, ms. */
export const STATEMENT_MS = 4_000;
/** Pause before the outcome of a run is written again, ms. */
export const SETTLE_PAUSE_MS = 1_000;

/** A run of a job that runs all the time is shown as under way from this age on, ms. */
export const SHOWN_AFTER_MS = 1_000;
/** How often the counts of a run under way are written, ms. */
export const PROGRESS_MS = 1_000;
/** How often a job that runs all the time leaves a sign of life although it did nothing, ms. */
export const SIGN_OF_LIFE_MS = 600_000;

/** A failed run of a job with a cron line is made again after this, ms, unless its next time is nearer. */
export const CRON_RETRY_MS = 300_000;
/** Longest pause of a failing job that runs all the time, ms: what it is for must begin again soon after the fault. */
export const EVERY_RETRY_MS = 5_000;

/** Runs are kept for this long, ms. */
export const RUNS_KEPT_MS = 30 * 86_400_000;
/** Runs removed in one statement. */
export const RUNS_PURGED = 5_000;
/** Characters of an error that are kept. */
export const ERROR_LENGTH = 500;

/** Time for one batch of the expiry and reminder jobs, ms. */
export const NOTICE_BATCH_MS = 9_000;
/** Expiry looks back this far behind where it was, ms: what the archive wrote late is still found. */
export const EXPIRY_OVERLAP_MS = 86_400_000;

/** Records looked for at once by the retention job. */
export const RETIRED_PER_READ = 200;
/** Time for one write of the retention job, ms. */
export const RETIRE_MS = 5_000;
/** Fields, or coupons with their marks, that one event takes out; an event names at most 255 fields of a record. */
export const GROUPS_PER_EVENT = 100;

/** Segments of the log detached in one run, so that each run is short; an hour later there is another one. */
export const SEGMENTS_PER_RUN = 16;
/** Time for one statement of the job that detaches them, ms: it waits half a second for locks. */
export const DETACH_MS = 9_000;
