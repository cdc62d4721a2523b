import { setTimeout as sleep } from 'node:timers/promises';
import { callJson, ServiceError } from './json-call.ts';
import { LOG_DIRECTORY } from './service-process.ts';

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
        `${role} was not ready within ${READY_TIMEOUT_MS / 1_000} s; see ${LOG_DIRECTORY}/${role}.log.`,
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

/** Of the sample catalogue, with no way in for claims: asking for it changes nothing and always ends in a refusal. */
export const UNCLAIMABLE_PROMOTION_ID = 'free-shipping-200';

/**
 * Resolves when the ledger takes writes. After a restart of Redis it stays closed until the archive has compared both
 * stores; until then every claim is answered with "ask again".
 */
export async function awaitOpenLedger(baseUrl: string, signal: AbortSignal): Promise<void> {
  const request = {
    promotionId: UNCLAIMABLE_PROMOTION_ID,
    userId: 'npm-start',
    requestId: 'is-the-ledger-open',
  };
  try {
    await callJson(`${baseUrl}/hongbao.v1.CouponService/ClaimCoupon`, request, signal);
  } catch (error) {
    const isDecided = error instanceof ServiceError && !error.isOutcomeUnknown;
    if (!isDecided) throw error;
  }
}
