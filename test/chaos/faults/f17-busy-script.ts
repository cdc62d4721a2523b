import { always, type Fault } from './fault.ts';
import { someMaster } from './targets.ts';

/** Only reads, and ends by itself. ARGV: microseconds. */
const BUSY_SCRIPT = `#!lua flags=no-writes
local function now() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end
local until_us = now() + tonumber(ARGV[1])
while now() < until_us do end
return 1`;

/** Somebody's script occupies a master. */
export const busyScript: Fault = {
  id: 'F17',
  title: 'Runaway script',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['redis', 'redis_link', 'clock'],
  lastsMs: [0, 100],
  does: 'A script of nobody keeps a master busy for 1 to 3 s with `busy-reply-threshold 200`, so that others are answered BUSY.',
  expects:
    'Unknown outcomes or UNAVAILABLE while it lasts, then service as before. The own scripts have a bounded cost.',
  showed: 'Outage as long as the script, 1.2 to 2.1 s; then service as before.',
  canRun: always,
  async inject(world, random) {
    const node = await someMaster(world, random);
    const lengthMs = random.between(1_000, 3_000);
    await node.admin.config('SET', 'busy-reply-threshold', '200');
    await node.admin.eval(BUSY_SCRIPT, 0, lengthMs * 1_000);
    return {
      note: `${node.name} busy for ${lengthMs} ms`,
      async heal() {
        await node.admin.config('SET', 'busy-reply-threshold', '5000');
      },
    };
  },
};
