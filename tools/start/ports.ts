import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, isPortFree } from '../servers/free-port.ts';
import type { ServicePort } from './settings.ts';

/** How long a killed predecessor, whose processes end by themselves, may take to let go of its ports. */
const RELEASE_WAIT_MS = 8_000;
const RELEASE_POLL_MS = 200;

/**
 * Makes sure that all ports are free. With `mayBeReleased` (the last run was killed) it waits for them for a while.
 * Throws an `Error` of one line that names the port and the variable that moves it.
 */
export async function requireFreePorts(ports: readonly ServicePort[], mayBeReleased: boolean): Promise<void> {
  const attempts = mayBeReleased ? RELEASE_WAIT_MS / RELEASE_POLL_MS : 1;
  for (let attempt = 1; ; attempt += 1) {
    const taken = await firstTaken(ports);
    if (taken === undefined) return;
    if (attempt >= attempts) {
      throw new Error(
        `Port ${taken.port} (${taken.purpose}) is taken. Stop what listens there, or set ${taken.variable} to another port.`,
      );
    }
    await sleep(RELEASE_POLL_MS);
  }
}

/** The wanted port when nobody uses it, any free one otherwise: the stores' ports matter to nobody else. */
export async function portOrAnother(wanted: number): Promise<number> {
  return (await isPortFree(wanted)) ? wanted : freePort();
}

async function firstTaken(ports: readonly ServicePort[]): Promise<ServicePort | undefined> {
  for (const candidate of ports) if (!(await isPortFree(candidate.port))) return candidate;
  return undefined;
}
