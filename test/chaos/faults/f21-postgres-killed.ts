import { always, type Fault } from './fault.ts';

/** Postgres crashes. */
export const postgresKilled: Fault = {
  id: 'F21',
  title: 'Postgres killed',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['postgres', 'postgres_link'],
  lastsMs: [500, 4_000],
  does: 'The postmaster gets SIGKILL and is started again later.',
  expects: 'Claims go on, the backlog grows and drains afterwards; log, projections and cursor agree.',
  showed: 'Claims went on; the backlog drained within seconds of the restart.',
  canRun: always,
  async inject({ postgres }) {
    await postgres.server.kill();
    return { note: 'Postgres killed', heal: () => postgres.server.restart() };
  },
};
