/** The settings of both Redis servers of a run, ours and the peer's. */
import type { RedisServerOptions } from '../../tools/servers/redis-server.ts';

/**
 * Every write reaches the disk before it is answered. The file is not rewritten meanwhile: a rewrite takes a core for seconds at a moment nobody
 * chose, and would hit one contender or the other by chance.
 */
export const BENCH_REDIS: RedisServerOptions = {
  appendFsync: 'always',
  settings: { 'auto-aof-rewrite-percentage': '0' },
};
