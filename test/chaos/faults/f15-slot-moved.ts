import { setTimeout as sleep } from 'node:timers/promises';
import { partitionKeys } from '../../../src/ledger/keys.ts';
import { readLevels } from '../topology/levels.ts';
import type { World } from '../topology/world.ts';
import { always, type Fault, nothingToHeal } from './fault.ts';

const POLL_MS = 10;
const OPEN_MS = 20_000;

export const slotMoved: Fault = {
  id: 'F15',
  title: 'Partition moved to another master under load',
  topologies: ['cluster'],
  parts: ['redis', 'redis_link', 'archive'],
  lastsMs: [0, 500],
  does: "A partition's gate is closed, its slot is moved key by key (`SETSLOT`, `MIGRATE`), and the gatekeeper opens it for its new server.",
  expects:
    'MOVED, ASK and TRYAGAIN are absorbed; no script works on half a partition; the pause is measured.',
  showed: '',
  canRun: always,
  async inject(world, random) {
    const partition = random.between(0, world.redis.partitions - 1);
    const source = await world.redis.masterOf(partition);
    const targets = (await world.redis.masters()).filter((node) => node !== source);
    const target = random.pick(targets);
    const startedMs = Date.now();
    await source.admin.hset(
      partitionKeys(partition, world.redis.partitions).meta,
      'open',
      'closed for a move',
    );
    const keys = await world.redis.movePartition(partition, target);
    await untilOpen(world, partition);
    const pauseMs = Date.now() - startedMs;
    return {
      note: `partition ${partition} from ${source.name} to ${target.name}: ${keys} keys, closed for ${pauseMs} ms`,
      heal: nothingToHeal,
    };
  },
};

async function untilOpen(world: World, partition: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < OPEN_MS; waitedMs += POLL_MS) {
    const levels = await readLevels(world).catch(() => []);
    if (levels.some((level) => level.partition === partition && level.isOpen)) return;
    await sleep(POLL_MS);
  }
  throw new Error(`partition ${partition} did not open after its move`);
}
