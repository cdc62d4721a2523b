import { setInterval } from 'node:timers/promises';
import { always, type Fault } from './fault.ts';

const TERMINATE_EVERY_MS = 150;

/** Statements are cut off in the middle. */
export const backendsTerminated: Fault = {
  id: 'F22',
  title: 'Backends of Postgres terminated in the middle of statements',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['postgres'],
  lastsMs: [1_000, 3_000],
  does: '`pg_terminate_backend` for every connection of the product each 150 ms.',
  expects: 'Every statement settles within its time, and the same batch is sent again.',
  showed: 'Each statement failed and was sent again; no gap, no double row.',
  canRun: always,
  async inject({ postgres, say }) {
    const stopping = new AbortController();
    let terminated = 0;
    const terminating = (async () => {
      try {
        const { signal } = stopping;
        for await (const _ of setInterval(TERMINATE_EVERY_MS, undefined, { signal })) {
          const rows = await postgres.admin`
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name <> 'chaos-admin'`;
          terminated += rows.length;
        }
      } catch (error) {
        if (!stopping.signal.aborted) throw error;
      }
    })();
    return {
      note: 'connections terminated in a loop',
      async heal() {
        stopping.abort();
        await terminating;
        // Beside a restart of the processes there may have been none.
        say(`F22: ${terminated} connections were terminated`);
      },
    };
  },
};
