import { always, type Fault } from './fault.ts';
import { runningServe } from './targets.ts';

/** A process is asked to leave under load. */
export const orderlyRestart: Fault = {
  id: 'F31',
  title: 'SIGTERM under load',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['serve'],
  lastsMs: [100, 1_500],
  does: 'A `serve` gets SIGTERM under load, drains, ends with 0, and is started again.',
  expects: 'Connections are told to go elsewhere, calls in flight finish.',
  showed: 'Ended with 0 each time; calls in flight were answered.',
  canRun: always,
  async inject(world, random) {
    const serve = runningServe(world, random);
    const code = await serve.end('SIGTERM');
    if (code !== 0) throw new Error(`${serve.name} ended with ${code} after SIGTERM`);
    return { note: `${serve.name} drained`, heal: () => serve.start() };
  },
};
