/** Why a partition is stopped until a person, or a newer release, has looked at it. */
export type HaltReason =
  /** Redis and Postgres hold different histories. */
  | 'fork'
  /** Entries between the cursor and the oldest kept one are gone, or missing in the log. */
  | 'hole'
  /** The stream holds entries of a newer release. */
  | 'unknown_format';

/** The partition must not go on; nothing was changed. */
export class HaltError extends Error {
  override readonly name = 'HaltError';
  readonly reason: HaltReason;

  constructor(reason: HaltReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
