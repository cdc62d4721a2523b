import { always, type Fault } from './fault.ts';

const BYTES_PER_SECOND = 256 * 1024;

/** A link that works, late: what is slow is neither up nor down. */
export const slowLink: Fault = {
  id: 'F4',
  title: 'Slow, uneven and narrow links to the stores',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['redis_link', 'postgres_link'],
  lastsMs: [1_500, 4_000],
  does: 'Every parcel to and from Redis, or Postgres, takes 20 to 150 ms more and as much again by chance; all share 256 KB a second.',
  expects:
    'Answers take longer and stay right; what passes its deadline is an unknown outcome; nothing lands twice.',
  showed: 'Links 74 to 208 ms slower: answers came later, none was lost, nothing landed twice.',
  canRun: always,
  async inject({ redis, postgres }, random) {
    const isRedis = random.chance(0.5);
    const delayMs = random.between(20, 150);
    const proxies = isRedis ? redis.nodes.map(({ proxy }) => proxy) : [postgres.proxy];
    const slowness = { delayMs, jitterMs: delayMs, bytesPerSecond: BYTES_PER_SECOND };
    const undo = proxies.map((proxy) => proxy.slow(slowness));
    return {
      note: `links to ${isRedis ? 'Redis' : 'Postgres'} ${delayMs} to ${2 * delayMs} ms slower`,
      async heal() {
        for (const end of undo) end();
      },
    };
  },
};
