/**
 * How a process leaves without failing anybody: say "not ready", wait until load balancers noticed, ask every connection to go
 * elsewhere, let the calls in flight finish, and only then cut what is left. One module owns the order.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';

/** A server that can be drained. */
export interface Drainable {
  /** Stops taking connections and is kept when the calls in flight have ended. */
  close(): Promise<void>;
  /** Cuts what is left. */
  forceClose(): void;
}

/** What draining acts upon. */
export interface DrainOptions {
  readonly config: Config['drain'];
  readonly logger: Logger;
  /** Makes every readiness check say no, and HTTP answers ask for their connection to be closed. */
  readonly withdraw: () => void;
  readonly servers: readonly Drainable[];
}

/** Runs the whole order once. Always kept, within `readinessDelayMs + graceMs`. */
export async function drain({ config, logger, withdraw, servers }: DrainOptions): Promise<void> {
  logger.info({ event: LOG_EVENTS.drainStarted }, 'Draining');
  withdraw();
  await sleep(config.readinessDelayMs);
  const closed = Promise.all(servers.map((server) => server.close()));
  const timer = new AbortController();
  const late = sleep(config.graceMs, 'late', { signal: timer.signal }).catch(() => 'stopped');
  const first = await Promise.race([closed.then(() => 'closed'), late]);
  timer.abort();
  if (first === 'closed') return;
  logger.warn(
    { event: LOG_EVENTS.drainForced },
    'Calls were still in flight after the grace time; they are cut',
  );
  for (const server of servers) server.forceClose();
}
