/** The buckets of histograms: their upper bounds. */

/** Seconds of a call, around the objectives: half a millisecond to one second, then up to the longest deadline. */
export const CALL_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Seconds of one script; a batch is bounded to two milliseconds. */
export const SCRIPT_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

/** Seconds from an event to its commit in Postgres; the objective is one. */
export const LAG_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Items in a batch. */
export const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** Events in one statement of the archive. */
export const FLUSH_SIZES = [1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 50_000];

/** Seconds of a run of a job: a look that finds nothing up to a night's work. */
export const JOB_SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 5, 30, 60, 300, 1800, 7200];
