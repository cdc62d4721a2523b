/** Whom a fault hits. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Direction } from '../proxy/link.ts';
import type { ProductProcess } from '../topology/product-process.ts';
import type { RedisNode } from '../topology/redis-node.ts';
import type { World } from '../topology/world.ts';
import type { Random } from './random.ts';

/** A `serve` that runs; throws when none does. */
export function runningServe(world: World, random: Random): ProductProcess {
  return random.pick(world.serves.filter((serve) => serve.isRunning));
}

/** A node that holds partitions now. */
export async function someMaster(world: World, random: Random): Promise<RedisNode> {
  return random.pick(await world.redis.masters());
}

/** The `archive` that holds the lease of partition 0; any that runs when none does. */
export async function archiveAtWork(world: World, random: Random): Promise<ProductProcess> {
  const running = world.archives.filter((archive) => archive.isRunning);
  const rows = await world.postgres.admin<{ owner: string | null }[]>`
    SELECT owner FROM ledger_cursor WHERE partition = 0 ORDER BY generation DESC LIMIT 1`.catch(() => []);
  const owner = rows[0]?.owner ?? '';
  return running.find(({ pid }) => owner.split(':').includes(String(pid))) ?? random.pick(running);
}

/** Keeps one direction of every Redis back until something waits there, or `longestMs`; the answer lets it go. */
export async function holdUntilHeld(
  world: World,
  direction: Direction,
  longestMs: number,
): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const undo = world.redis.nodes.map(({ proxy }) => proxy.hold(direction, resolve));
  await Promise.race([promise, sleep(longestMs)]);
  return () => {
    for (const release of undo) release();
  };
}
