import { always, type Fault } from './fault.ts';
import { runningServe } from './targets.ts';

/** A process stands still for seconds, as in a long collection of garbage or on a starved machine. */
export const serviceStandsStill: Fault = {
  id: 'F27',
  title: 'Service stands still',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['serve'],
  lastsMs: [1_000, 5_000],
  does: 'A `serve` gets SIGSTOP under load, and SIGCONT seconds later.',
  expects:
    'Deadlines pass as unknown outcomes; what it sends when it wakes up is late and refused, or is the same request.',
  showed: 'Calls of the standing process became unknown and were settled by the other; nothing landed twice.',
  canRun: always,
  async inject(world, random) {
    const serve = runningServe(world, random);
    serve.freeze();
    return {
      note: `${serve.name} stood still`,
      async heal() {
        serve.thaw();
      },
    };
  },
};
