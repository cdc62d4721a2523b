import type { World } from '../topology/world.ts';
import { always, type Fault } from './fault.ts';
import type { Random } from './random.ts';

const LOCKED_MS = [1_500, 6_000] as const;

/** Postgres answers nothing without being gone. */
export const postgresStalls: Fault = {
  id: 'F23',
  title: 'Postgres stands still, or a lock is held',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['postgres', 'postgres_link', 'archive'],
  lastsMs: LOCKED_MS,
  does: 'Either `LOCK TABLE ledger_cursor` is held, or the backend of the archiver stands still (SIGSTOP).',
  expects: 'Statements time out and are sent again; claims go on within the limits of the backlog.',
  showed: 'The archive waited, claims went on; no gap afterwards.',
  canRun: always,
  inject: (world, random) => (random.chance(0.5) ? lockTable(world) : freezeBackend(world, random)),
};

async function lockTable({ postgres }: World): ReturnType<Fault['inject']> {
  const connection = await postgres.admin.reserve();
  await connection`BEGIN`;
  await connection`LOCK TABLE ledger_cursor IN ACCESS EXCLUSIVE MODE`;
  return {
    note: 'ledger_cursor locked',
    async heal() {
      await connection`ROLLBACK`;
      connection.release();
    },
  };
}

async function freezeBackend({ postgres }: World, random: Random): ReturnType<Fault['inject']> {
  const rows = await postgres.admin<{ pid: number; name: string }[]>`
    SELECT pid, application_name AS name FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'hongbao%'`;
  const archiving = rows.filter(({ name }) => name.includes('archive'));
  const backend = random.pick(archiving.length > 0 ? archiving : rows);
  process.kill(backend.pid, 'SIGSTOP');
  return {
    note: `backend of ${backend.name} stood still`,
    async heal() {
      process.kill(backend.pid, 'SIGCONT');
    },
  };
}
