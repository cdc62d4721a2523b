import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { whileEverythingIsArchived } from './archived-tail.ts';
import { always, type Fault, nothingToHeal } from './fault.ts';

/** Somebody restores Redis from a backup that is behind. */
export const oldBackup: Fault = {
  id: 'F34',
  title: 'Redis restored from an old backup',
  topologies: ['single'],
  parts: ['redis', 'redis_link', 'postgres', 'postgres_link', 'serve', 'archive', 'clock'],
  lastsMs: [0, 100],
  does: "Redis's files are copied; seconds later, with everything archived, the copy takes their place.",
  expects: 'The ledger is behind the archive: closed, brought up to date from the log, then opened.',
  showed: 'Copies 1.5 to 3 s old; the archive replayed what was missing: outage about 1.4 s.',
  canRun: always,
  async inject(world, random) {
    const node = await world.redis.masterOf(0);
    const live = join(node.directory, 'appendonlydir');
    const backup = join(world.directory, 'backup-of-redis');
    await rm(backup, { recursive: true, force: true });
    await cp(live, backup, { recursive: true });
    const age = random.between(1_000, 3_000);
    await sleep(age);
    await whileEverythingIsArchived(world, async () => {
      await node.server.kill();
      await rm(live, { recursive: true });
      await cp(backup, live, { recursive: true });
      await node.restart();
    });
    return { note: `a copy ${age} ms old took the place of the files`, heal: nothingToHeal };
  },
};
