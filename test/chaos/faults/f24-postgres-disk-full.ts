import type { Fault } from './fault.ts';
import { fillDisk } from './full-disk.ts';

/** Postgres meets a full file system for real. */
export const postgresDiskFull: Fault = {
  id: 'F24',
  title: 'Disk of Postgres full',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['postgres', 'postgres_link'],
  lastsMs: [1_500, 4_000],
  does: 'The cluster lies on a file system of 320 MB that is filled to its last byte; later the space is freed and the server, should it have given up, started again.',
  expects: 'As F21: the ledger goes on, the backlog drains when there is space.',
  showed:
    'Claims went on while Postgres could not write; the backlog drained when there was space; log and projections agree.',
  canRun: ({ machine, isNamed }) =>
    machine.noSmallDisks ?? (isNamed ? undefined : 'wants a small file system: name it, `--faults F24`'),
  async inject({ postgres }) {
    const free = await fillDisk(postgres.directory);
    return {
      note: 'the disk of Postgres is full',
      async heal() {
        await free();
        await postgres.admin`SELECT 1`.catch(() => postgres.server.restart());
      },
    };
  },
};
