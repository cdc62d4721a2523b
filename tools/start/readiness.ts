import { setTimeout as sleep } from 'node:timers/promises';

/** How long the service may take to become ready, recovery of a large ledger included. */
const READY_TIMEOUT_MS = 120_000;
const POLL_MS = 50;

/** Resolves when `/readyz` on this port answers with 200. Throws when it does not in time, or when `signal` aborts. */
export async function awaitReady(role: string, opsPort: number, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(READY_TIMEOUT_MS)]);
  while (!(await isReady(opsPort, deadline))) {
    signal.throwIfAborted();
    if (deadline.aborted)
      throw new Error(
        `${role} was not ready within ${READY_TIMEOUT_MS / 1_000} s; see .data/logs/${role}.log.`,
      );
    await sleep(POLL_MS);
  }
}

async function isReady(opsPort: number, signal: AbortSignal): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${opsPort}/readyz`, { signal });
    await answer.text();
    return answer.ok;
  } catch {
    return false;
  }
}
