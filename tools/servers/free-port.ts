import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Where ports are drawn from: below those that systems give to outgoing connections (from 32768 on Linux, 49152 elsewhere), one of
 * which could otherwise take a port before its server does, or while that is down.
 */
const LOWEST = 10_000;
const BEYOND = 32_000;

/**
 * A TCP port of 127.0.0.1 that nobody listens on at this moment. Another process may take it before it is used, so
 * whoever starts a server on it must be ready for "address in use".
 */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** So many free ports that differ. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(LOWEST, BEYOND);
    if (await isPortFree(port)) ports.add(port);
  }
  return [...ports];
}

/** Whether nobody listens on this port of 127.0.0.1 now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
