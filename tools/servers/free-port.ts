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
 * to the others. Who is no worker draws from all.
 */
const BLOCKS = 8;
const worker = process.env['VITEST_POOL_ID'];
const size = (BEYOND - LOWEST) / (worker === undefined ? 1 : BLOCKS);
const start = LOWEST + (Number(worker ?? 0) % BLOCKS) * size;

/** Where this process is: it goes on from port to port, so that none is drawn again before all others were. */
let place = randomInt(size);

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
  place = (place + 1) % size;
  return start + place;
}

/** Whether nobody listens on this port of 127.0.0.1 now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
