/** `serve`: answers calls. Stateless; any number of processes may run. */
import { createApp } from '../app.ts';
import type { Config } from '../config/config.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { readBuild } from './build.ts';
import { endOnUncaughtErrors, untilSignal } from './until-signal.ts';

/** Runs until a signal. Exit code 0. */
export async function serve(config: Config): Promise<number> {
  const logger = createLogger({ level: config.service.logLevel, role: 'serve' });
  endOnUncaughtErrors(logger);
  const app = createApp({ config, metrics: createMetrics(readBuild('serve')), logger });
  const signalled = untilSignal();
  await app.start();
  await signalled;
  await app.stop();
  return 0;
}
