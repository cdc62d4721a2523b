/**
 * The connections of one lane of script calls, one call on each at a time.
 *
 * Redis syncs its file once per turn of its event loop, whatever it did in that turn. Calls on one connection are read one per
 * turn; on connections of their own they share a turn, and so an fsync.
 */
import type { Redis } from 'ioredis';

/** A fixed number of connections, lent one call at a time; a call that finds none free waits for one. */
export class ScriptConnections {
  private readonly all: readonly Redis[];
  private readonly free: Redis[];
  private readonly waiting: ((redis: Redis) => void)[] = [];

  constructor(connections: readonly Redis[]) {
    this.all = connections;
    this.free = [...connections];
  }

  /** Runs a call on a connection of its own. */
  async run<Answer>(call: (redis: Redis) => Promise<Answer>): Promise<Answer> {
    const redis = this.free.shift() ?? (await this.nextFree());
    try {
      return await call(redis);
    } finally {
      this.giveBack(redis);
    }
  }

  /** Closes them at once. */
  disconnect(): void {
    for (const redis of this.all) redis.disconnect();
  }

  private async nextFree(): Promise<Redis> {
    const { promise, resolve } = Promise.withResolvers<Redis>();
    this.waiting.push(resolve);
    return await promise;
  }

  private giveBack(redis: Redis): void {
    const next = this.waiting.shift();
    if (next === undefined) this.free.push(redis);
    else next(redis);
  }
}
