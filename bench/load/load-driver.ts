/** What every generator can do, whatever it speaks. */

/** Starts calls and counts those under way. */
export interface LoadDriver {
  /** Calls without an answer. */
  readonly inFlight: number;
  /** Calls started since the beginning. */
  readonly started: number;
  /** Fills every connection; each answer then starts the next call. */
  startClosedLoop(): void;
  /** Starts one call that was due at this moment of the monotonic clock. */
  startCall(dueMs: number): void;
  /** Starts nothing more. */
  stop(): void;
  /** Closes all connections. */
  destroy(): void;
}
