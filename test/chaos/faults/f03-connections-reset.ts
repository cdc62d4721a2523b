import { setTimeout as sleep } from 'node:timers/promises';
import { always, type Fault, nothingToHeal } from './fault.ts';

const RESET_EVERY_MS = 200;

/** Every connection breaks at once, as when a proxy or a node of the network restarts. */
export const connectionsReset: Fault = {
  id: 'F3',
  title: 'Connections to Redis reset under load',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['redis_link'],
  lastsMs: [100, 500],
  does: 'Every connection of the product to Redis is reset, three times in a row; once more by `CLIENT KILL TYPE normal`.',
  expects: 'Errors within the deadline, nothing queued in the driver, service again within a second.',
  showed:
    '100 connections (480 on a cluster) reset in 0.8 s; answers again within a second. Together with F26 it uncovered a pause that waited for a wall clock to catch up; it ends with its timer now.',
  canRun: always,
  async inject(world) {
    let reset = 0;
    for (let round = 0; round < 3; round += 1) {
      for (const { proxy } of world.redis.nodes) reset += proxy.resetAll();
      await sleep(RESET_EVERY_MS);
    }
    const kills = world.redis.nodes.map(({ admin }) =>
      admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes').catch(() => 0),
    );
    const killed = (await Promise.all(kills)).reduce<number>((sum, count) => sum + Number(count), 0);
    return { note: `${reset} connections reset, ${killed} killed by Redis`, heal: nothingToHeal };
  },
};
