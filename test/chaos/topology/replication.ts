/** What a Redis says about its part in replication. */
import type { Redis } from 'ioredis';

/** One server's part. */
export interface Replication {
  readonly role: 'master' | 'replica';
  /** A replica that has everything and a living link to its master. */
  readonly isFollowing: boolean;
  /** Bytes of the replication stream it has. */
  readonly offset: number;
}

/** Undefined when it does not answer. */
export async function replicationOf(redis: Redis): Promise<Replication | undefined> {
  const info = await redis.info('replication').catch(() => undefined);
  if (info === undefined) return undefined;
  const field = (name: string): string | undefined => new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1];
  const role = field('role') === 'master' ? 'master' : 'replica';
  return {
    role,
    isFollowing: role === 'replica' && field('master_link_status') === 'up',
    offset: Number(field(role === 'master' ? 'master_repl_offset' : 'slave_repl_offset')),
  };
}
