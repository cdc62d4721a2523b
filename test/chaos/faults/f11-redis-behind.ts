import { stat, truncate } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { whileEverythingIsArchived } from './archived-tail.ts';
import { always, type Fault, nothingToHeal } from './fault.ts';

/** Redis comes back without entries that Postgres has: what was sold must not be sold again. */
export const redisBehindPostgres: Fault = {
  id: 'F11',
  title: 'Redis behind Postgres',
  topologies: ['single'],
  parts: ['redis', 'redis_link', 'postgres', 'postgres_link', 'serve', 'archive', 'clock'],
  lastsMs: [0, 100],
  does: 'The append-only file loses all that was written, and archived, in the last second or two.',
  expects: 'The partition stays closed until the archived entries are back: no unit is sold a second time.',
  showed: '65 to 190 KB of archived entries lost and replayed: outage about 1.4 s, nothing sold twice.',
  canRun: always,
  async inject(world, random) {
    const node = await world.redis.masterOf(0);
    const file = await node.appendOnlyFile();
    const before = await stat(file);
    await sleep(random.between(500, 2_000));
    let lost = 0;
    await whileEverythingIsArchived(world, async () => {
      await node.server.kill();
      const { size } = await stat(file);
      lost = size - before.size;
      await truncate(file, before.size);
      await node.restart();
    });
    return { note: `${lost} bytes of archived entries lost`, heal: nothingToHeal };
  },
};
