/** `serve`: answers calls. Stateless; any number of processes may run. */
import { createApp } from '../app.ts';
import type { Config } from '../config/config.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { TRACES_STOP_MS } from '../telemetry/tracing/limits.ts';
import { startTracing } from '../telemetry/tracing/tracer.ts';
import { readBuild } from './build.ts';
import { endOnUncaughtErrors, untilSignal } from './until-signal.ts';

/** Runs until a signal. Exit code 0. */
export async function serve(config: Config): Promise<number> {
  const logger = createLogger({ level: config.service.logLevel, role: 'serve' });
  endOnUncaughtErrors(logger);
  const build = readBuild('serve');
  const metrics = createMetrics(build);
  const tracer = await startTracing(config.tracing, { build, metrics, logger });
  const app = createApp({ config, metrics, logger, tracer });
  const signalled = untilSignal();
  await app.start();
  await signalled;
  await app.stop();
  await tracer?.stop(Math.min(TRACES_STOP_MS, config.drain.graceMs));
  return 0;
}
