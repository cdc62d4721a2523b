import type { Fault } from './fault.ts';
import { fillDisk } from './full-disk.ts';
import { someMaster } from './targets.ts';

/** The append-only file meets a full file system for real, short writes included. */
export const appendOnlyFileFull: Fault = {
  id: 'F8',
  title: 'Disk of Redis full',
  topologies: ['single'],
  parts: ['redis', 'redis_link'],
  lastsMs: [1_000, 3_000],
  does: 'The append-only file lies on a file system of 64 MB that is filled to its last byte; later the space is freed.',
  expects:
    'As F7: the server exits rather than acknowledge; with space it comes back with everything acknowledged.',
  showed:
    'The server exits when the last byte is gone; with space it starts with everything acknowledged: outage of 2.1 s while it was full for 2.4 s.',
  canRun: ({ machine, isNamed }) =>
    machine.noSmallDisks ?? (isNamed ? undefined : 'wants a small file system: name it, `--faults F8`'),
  async inject(world, random) {
    const node = await someMaster(world, random);
    const free = await fillDisk(node.directory);
    return {
      note: `the disk of ${node.name} is full`,
      async heal() {
        await free();
        await world.redis.repair();
      },
    };
  },
};
