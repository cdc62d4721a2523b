/** Bounds of grants and revokes, each with its unit and the reason for its value. */

/** Recipients a process takes on at once: a few seconds of work, so that a dead process keeps few waiting. */
export const RECIPIENTS_PER_BATCH = 500;
/** Recipients written for at the same time: enough to fill a script call, few beside the claims of a sale. */
export const RECIPIENTS_AT_ONCE = 50;
/** Recipients per second of one process: bulk grants leave the ledger to claims (LEDGER rule 12). */
export const RECIPIENTS_PER_SECOND = 2_000;
/** A process that took recipients and is not heard of again loses them after this, ms; longer than a batch may take. */
export const LEASE_MS = 60_000;
/** Time for one recipient in the ledger, ms. */
export const RECIPIENT_DEADLINE_MS = 20_000;
/** Statements of jobs wait this long for Postgres, ms; writing down the users of a segment is the longest. */
export const JOB_STATEMENT_MS = 60_000;
/** Pause between runs of the job, ms: part of the time a grant takes to begin. */
export const RUN_EVERY_MS = 1_000;
/** How often a call looks whether another process has finished what it was asked for too, ms. */
export const OTHERS_POLL_MS = 50;
/** By how much the clock of the ledger may differ from that of a caller, ms. */
export const CLOCK_MARGIN_MS = 5_000;
