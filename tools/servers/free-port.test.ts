import { expect, test } from 'vitest';
import { freePort, freePorts } from './free-port.ts';

const LOWEST = 10_000;
const BLOCK_PORTS = 1_250;

test('ports differ, however they are drawn, before anybody listens on them', async () => {
  const ports = await freePorts(200);
  for (let more = 0; more < 100; more += 1) ports.push(await freePort());
  expect(new Set(ports).size).toBe(ports.length);
});

test('all are of the block of this worker, which no other draws from', async () => {
  const blocks = (await freePorts(100)).map((port) => Math.floor((port - LOWEST) / BLOCK_PORTS));
  expect(new Set(blocks)).toEqual(new Set([Number(process.env['VITEST_POOL_ID']) % 8]));
});
