import type { Fault } from './fault.ts';

const HOUR_MS = 3_600_000;

/** The wall clock of a store or of the product is set wrong and right again. */
export const clockJump: Fault = {
  id: 'F26',
  title: 'Clock jumps by an hour',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['clock', 'redis'],
  lastsMs: [1_000, 3_000],
  does: 'The wall clock of every redis-server, or of every process of the product, jumps an hour ahead or back, and later returns. A preloaded library moves it; Postgres keeps the time.',
  expects:
    'Decisions follow the time stored with them, which never runs backwards; entries stay gapless; service goes on after the clock is right again.',
  showed:
    'Uncovered a defect: after a jump ahead and back, calls paused until the wall clock showed the old time again, an hour. The pause ends with its timer now. The archive trimmed its margin early on a clock set ahead; it goes by elapsed time now.',
  canRun: ({ machine }) => machine.noMovableClocks,
  async inject({ clocks }, random) {
    if (clocks === undefined) throw new Error('the clocks of this run cannot be moved');
    const whose = random.pick(['redis', 'product'] as const);
    const ahead = random.chance(0.5);
    await clocks[whose].set(ahead ? HOUR_MS : -HOUR_MS);
    return {
      note: `the clock of ${whose === 'redis' ? 'Redis' : 'the product'} an hour ${ahead ? 'ahead' : 'back'}`,
      heal: () => clocks[whose].set(0),
    };
  },
};
