import { stat, truncate } from 'node:fs/promises';
import { whileEverythingIsArchived } from './archived-tail.ts';
import { always, type Fault, nothingToHeal } from './fault.ts';

const CUT_BYTES_MOST = 4_000;

/** The end of the append-only file is torn, as after a power cut. */
export const tornTail: Fault = {
  id: 'F9',
  title: 'Torn end of the append-only file',
  topologies: ['single'],
  parts: ['redis', 'redis_link', 'postgres', 'postgres_link', 'serve', 'archive', 'clock'],
  lastsMs: [0, 100],
  does: 'At a moment in which everything is archived Redis is killed, up to 4,000 bytes are cut off its file at a random place, and it starts again.',
  expects:
    'Redis drops the torn unit whole; the gatekeeper puts the lost entries back from Postgres, byte for byte, and only then opens.',
  showed: 'Up to 4,000 bytes cut off; lost entries replayed from Postgres before the partition opened.',
  canRun: always,
  async inject(world, random) {
    const node = await world.redis.masterOf(0);
    const cut = random.between(1, CUT_BYTES_MOST);
    await whileEverythingIsArchived(world, async () => {
      await node.server.kill();
      const file = await node.appendOnlyFile();
      const { size } = await stat(file);
      await truncate(file, Math.max(0, size - cut));
      await node.restart();
    });
    return { note: `${cut} bytes cut off the end`, heal: nothingToHeal };
  },
};
