/** `health`: asks the process on this machine whether it is ready; for containers whose runtime has no probes. */
import type { Config } from '../config/config.ts';

const TIMEOUT_MS = 2_000;

/** Exit code 0 when ready, 1 when not or when nobody answers. */
export async function health(config: Config): Promise<number> {
  const url = `http://127.0.0.1:${config.ops.port}/readyz`;
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => undefined);
  process.stdout.write(response?.ok ? 'ready\n' : 'not ready\n');
  return response?.ok ? 0 : 1;
}
