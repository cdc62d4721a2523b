/** Ends a role orderly: the first SIGINT or SIGTERM stops it, the second one ends the process at once. */
import type { Logger } from '../telemetry/logger.ts';

const KILLED_EXIT_CODE = 137;

/** Resolves at the first signal. */
export async function untilSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    if (signals > 1) process.exit(KILLED_EXIT_CODE);
    resolve();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  await promise;
}

/** An error nobody caught leaves unknown state behind: it is logged and the process ends. A crash is safe by design. */
export function endOnUncaughtErrors(logger: Logger): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (err: unknown) => {
      logger.fatal({ event, err }, 'the process ends on an error nobody caught');
      process.exit(1);
    });
  }
}
