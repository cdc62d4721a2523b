/**
 * How a process leaves without failing anybody: say "not ready", wait until load balancers noticed, end streams that would go
 * on, ask every connection to go elsewhere, let the calls in flight finish, and only then cut what is left. One module owns
 * the order.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';

/** A server that can be drained. */
export interface Drainable {
  /** Takes no new connection; kept when the calls in flight have ended. Connections left after the grace time are cut. */
  close(graceMs: number): Promise<void>;
}

/** What draining acts upon. */
export interface DrainOptions {
  readonly config: Config['drain'];
  readonly logger: Logger;
  /** Makes every readiness check say no, and HTTP answers ask for their connection to be closed. */
  readonly withdraw: () => void;
  /** Ends streams without an end of their own. Who comes back is led to another process by then. */
  readonly endStreams: () => void;
  readonly servers: readonly Drainable[];
}

/** Runs the whole order once; kept soon after `readinessDelayMs + graceMs` at the latest. */
export async function drain({ config, logger, withdraw, endStreams, servers }: DrainOptions): Promise<void> {
  logger.info({ event: LOG_EVENTS.drainStarted }, 'Draining');
  withdraw();
  await sleep(config.readinessDelayMs);
  endStreams();
  const forced = setTimeout(() => {
    logger.warn(
      { event: LOG_EVENTS.drainForced },
      'Calls were still in flight after the grace time; they are cut',
    );
  }, config.graceMs);
  await Promise.all(servers.map((server) => server.close(config.graceMs)));
  clearTimeout(forced);
}
