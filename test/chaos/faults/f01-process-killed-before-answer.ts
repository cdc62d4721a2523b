import { always, type Fault } from './fault.ts';
import { holdUntilHeld, runningServe } from './targets.ts';

/** How long a reply may take to come along while the load is thin, ms. */
const REPLY_WAIT_MS = 2_000;

/** A process dies after its scripts ran and before its callers were told. */
export const processKilledBeforeAnswer: Fault = {
  id: 'F1',
  title: 'Service killed between script and answer',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['serve', 'redis_link'],
  lastsMs: [300, 1_500],
  does: 'The proxy keeps the replies of Redis back until one waits, then a `serve` is killed with SIGKILL: its scripts ran, nobody was told.',
  expects: 'The client asks again with the same id and gets the stored result; no second effect.',
  showed:
    'Every claim whose answer was lost with the process was settled by a retry with its id; nothing doubled.',
  canRun: always,
  async inject(world, random) {
    const serve = runningServe(world, random);
    const release = await holdUntilHeld(world, 'reply', REPLY_WAIT_MS);
    await serve.end('SIGKILL');
    release();
    return {
      note: `${serve.name} killed with replies under way`,
      heal: () => serve.start(),
    };
  },
};
