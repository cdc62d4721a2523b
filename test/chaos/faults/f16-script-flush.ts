import { setInterval } from 'node:timers/promises';
import { always, type Fault } from './fault.ts';

const FLUSH_EVERY_MS = 50;

/** The server forgets its scripts again and again, as after restarts, fail-overs and flushes. */
export const scriptFlush: Fault = {
  id: 'F16',
  title: 'Script cache emptied again and again',
  topologies: ['single', 'replica', 'cluster'],
  parts: [],
  lastsMs: [1_000, 3_000],
  does: '`SCRIPT FLUSH` on every node each 50 ms.',
  expects: 'NOSCRIPT is answered with the text of the script, once; nothing lost, nothing doubled.',
  showed: 'No outage, nothing lost or doubled.',
  canRun: always,
  async inject(world) {
    const stopping = new AbortController();
    const flushing = flushUntil(stopping.signal, async () => {
      await Promise.all(world.redis.nodes.map(({ admin }) => admin.script('FLUSH').catch(() => undefined)));
    });
    return {
      note: 'SCRIPT FLUSH in a loop',
      async heal() {
        stopping.abort();
        await flushing;
      },
    };
  },
};

async function flushUntil(signal: AbortSignal, flush: () => Promise<void>): Promise<void> {
  try {
    for await (const _ of setInterval(FLUSH_EVERY_MS, undefined, { signal })) await flush();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
