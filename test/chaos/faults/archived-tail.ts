/** A moment in which everything Redis holds is archived and nobody writes, so that losing its newest entries loses no promise. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isLevel } from '../topology/levels.ts';
import type { World } from '../topology/world.ts';

const POLL_MS = 20;
const LEVEL_MS = 20_000;

/**
 * Stops every process of the product, once the archive is level with the ledger, for as long as `action` takes. What clients
 * wait for meanwhile stays unknown to them until the processes go on.
 */
export async function whileEverythingIsArchived(world: World, action: () => Promise<void>): Promise<void> {
  const serves = world.serves.filter((serve) => serve.isRunning);
  for (const serve of serves) serve.freeze();
  try {
    await untilLevel(world);
    await action();
  } finally {
    for (const process of [...serves, ...world.archives]) process.thaw();
  }
}

/** The archive's own jobs write too: they are stopped, and looked at once more. */
async function untilLevel(world: World): Promise<void> {
  for (let waitedMs = 0; waitedMs < LEVEL_MS; waitedMs += POLL_MS) {
    if (await isLevel(world).catch(() => false)) {
      for (const archive of world.archives) archive.freeze();
      if (await isLevel(world).catch(() => false)) return;
      for (const archive of world.archives) archive.thaw();
    }
    await sleep(POLL_MS);
  }
  throw new Error('the archive did not become level with the ledger');
}
