/** A job: work the product does by itself, at set times, in one process at a time. */

/** What a run counted, by name, such as `{ expired: 12 }`. */
export type JobCounts = Readonly<Record<string, number>>;

/** What a run is given. */
export interface JobContext {
  /** Aborted when the process stops or loses the lead; the run then ends soon, and another process carries on. */
  readonly signal: AbortSignal;
  /** When the run began, ms since the epoch. */
  readonly nowMs: number;
  /** Says how far the run is; the counts so far. */
  progress(counts: JobCounts): void;
}

/** When a job runs: by a cron line in a named zone, or so many ms after its last run ended. */
export type JobTimes =
  | { readonly kind: 'cron'; readonly cron: string; readonly timeZone: string }
  | { readonly kind: 'every'; readonly everyMs: number };

/** One job. A run may be cut off anywhere and made again: it must be safe to repeat. */
export interface Job {
  /** Names it in logs, metrics and calls, such as `expire-coupons`. */
  readonly name: string;
  /** What it does, in one sentence. */
  readonly description: string;
  readonly times: JobTimes;
  readonly isEnabled: boolean;
  /** Does the work; throws when it failed. */
  run(context: JobContext): Promise<JobCounts>;
}
