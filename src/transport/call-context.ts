/** What every handler is told about the call it serves. */
import type { Identity } from '../domain/identity.ts';

/** The circumstances of one call. */
export interface CallContext {
  /** Who is calling, from the verified token. */
  readonly identity: Identity;
  /**
   * When an answer is worthless, in local epoch milliseconds. Always set for unary calls (a default, and a ceiling). A
   * stream that states none has `Infinity`: its handler gives each item a deadline of its own.
   */
  readonly deadlineMs: number;
  /** Aborted when the caller went away, the deadline passed, or the call was answered. */
  readonly signal: AbortSignal;
  /** When the call arrived, in local epoch milliseconds. */
  readonly nowMs: number;
}
