import { always, type Fault } from './fault.ts';
import { archiveAtWork } from './targets.ts';

/** An archiver that was given up comes back and believes that it still is in charge. */
export const staleLease: Fault = {
  id: 'F20',
  title: 'Archiver comes back after its lease',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['archive'],
  lastsMs: [1_500, 4_000],
  does: 'The `archive` at work stands still (SIGSTOP) past its lease of 1 s, the other one takes over, then it goes on.',
  expects: 'Its statements name an old epoch and change no row.',
  showed: 'The one that came back changed no row.',
  canRun: always,
  async inject(world, random) {
    const archive = await archiveAtWork(world, random);
    archive.freeze();
    return {
      note: `${archive.name} stood still`,
      async heal() {
        archive.thaw();
      },
    };
  },
};
