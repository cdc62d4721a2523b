import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Where ports are drawn from: below those that systems give to outgoing connections (from 32768 on Linux, 49152 elsewhere), one of
 * which could otherwise take a port before its server does, or while that is down; and with room above, where nodes of a Redis
 * Cluster have their second port, 10,000 higher.
 */
const LOWEST = 10_000;
const BEYOND = 20_000;

/**
 * Workers of the test runner draw side by side, each from a block of its own: what one has drawn and not opened yet would look free
 * to the others.
 */
const BLOCKS = 8;
const BLOCK_PORTS = (BEYOND - LOWEST) / BLOCKS;
const blockStart = LOWEST + (Number(process.env['VITEST_POOL_ID'] ?? 0) % BLOCKS) * BLOCK_PORTS;

/** No port is drawn twice by one process until it has drawn so many: the first may not be open yet. */
const REMEMBERED = BLOCK_PORTS / 2;
const drawn = new Set<number>();

/**
 * A TCP port of 127.0.0.1 that nobody listens on at this moment. A program that is not ours may take it before it is used.
 */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** So many free ports that differ. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = draw();
    if (await isPortFree(port)) ports.push(port);
  }
  return ports;
}

function draw(): number {
  if (drawn.size >= REMEMBERED) drawn.clear();
  for (;;) {
    const port = randomInt(blockStart, blockStart + BLOCK_PORTS);
    if (drawn.has(port)) continue;
    drawn.add(port);
    return port;
  }
}

/** Whether nobody listens on this port of 127.0.0.1 now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
