/** When the next call starts: as soon as one is answered, or at a fixed rate whatever the answers do. */

/** Calls that may be under way at a fixed rate before the generator gives up on keeping it. */
export const OPEN_LOOP_LIMIT = 8_192;

/** How often a fixed rate looks for calls that are due, in milliseconds. */
const TICK_MS = 1;

/**
 * Starts calls at a fixed rate until `stop` is called. Each call is told when it was due, so a server that stalls is charged for
 * the wait of every call behind it. The function it returns stops it.
 */
export function startPacing(callsPerSecond: number, startCall: (dueMs: number) => void): () => void {
  const beganMs = performance.now();
  let started = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - beganMs) / 1000) * callsPerSecond);
    for (; started < due; started += 1) startCall(beganMs + (started / callsPerSecond) * 1000);
  }, TICK_MS);
  return () => clearInterval(timer);
}
