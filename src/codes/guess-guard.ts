/**
 * Keeps codes from being guessed. Everybody who tries codes has a number of attempts per minute; who has tried too many
 * wrong ones is locked out for a while. Counted are the caller (the token's subject) and the user, apart from each other
 * and for all processes together, in Redis beside the ledger: losing these figures costs nothing but a little patience of
 * whoever guesses.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { Refusal } from '../domain/refusal.ts';
import { guessKeys, partitionOf } from '../ledger/keys.ts';
import {
  type ConnectionOfPartition,
  callPartition,
  type PartitionConnection,
} from '../ledger/partition-connection.ts';

const MINUTE_MS = 60_000;

/** How much guessing is borne. Times in ms. */
export interface GuessLimits {
  /** Attempts per minute of one user, right or wrong. */
  readonly userAttemptsPerMinute: number;
  /** The same of one caller; a service acts for many users. */
  readonly callerAttemptsPerMinute: number;
  /** Wrong codes of one user within the window that lock the user out. */
  readonly userWrongCodes: number;
  /** The same of one caller. */
  readonly callerWrongCodes: number;
  readonly wrongWindowMs: number;
  readonly lockoutMs: number;
}

/** Who tries a code. */
export interface Guesser {
  /** Subject of the token. */
  readonly caller: string;
  readonly userId: string;
}

interface Subject {
  /** Where it is counted. */
  readonly at: PartitionConnection;
  readonly keys: { readonly attempts: string; readonly wrong: string; readonly locked: string };
  readonly attemptsPerMinute: number;
  readonly wrongCodes: number;
}

/** Counts attempts and wrong codes. */
export class GuessGuard {
  private readonly connections: ConnectionOfPartition;
  private readonly limits: GuessLimits;

  constructor(connections: ConnectionOfPartition, limits: GuessLimits) {
    this.connections = connections;
    this.limits = limits;
  }

  /** Admits an attempt. Throws TOO_MANY_CODE_ATTEMPTS with the time to wait, or LEDGER_UNAVAILABLE. */
  async admit(guesser: Guesser): Promise<void> {
    for (const subject of this.subjects(guesser)) {
      const { at, keys } = subject;
      const lockedForMs = await ask(at, (redis) => redis.pttl(keys.locked));
      if (lockedForMs > 0) throw tooManyAttempts(lockedForMs);
      const count = await countOne(at, keys.attempts, MINUTE_MS);
      if (count <= subject.attemptsPerMinute) continue;
      throw tooManyAttempts(Math.max(1, await ask(at, (redis) => redis.pttl(keys.attempts))));
    }
  }

  /** Notes that the code was wrong, or somebody else's. */
  async noteWrong(guesser: Guesser): Promise<void> {
    const { wrongWindowMs, lockoutMs } = this.limits;
    for (const { at, keys, wrongCodes } of this.subjects(guesser)) {
      const count = await countOne(at, keys.wrong, wrongWindowMs);
      if (count < wrongCodes) continue;
      await ask(at, (redis) => redis.set(keys.locked, '1', 'PX', lockoutMs));
      await ask(at, (redis) => redis.del(keys.wrong));
    }
  }

  private subjects({ caller, userId }: Guesser): readonly Subject[] {
    const { limits } = this;
    return [
      {
        ...this.placeOf(nameOf('user', userId)),
        attemptsPerMinute: limits.userAttemptsPerMinute,
        wrongCodes: limits.userWrongCodes,
      },
      {
        ...this.placeOf(nameOf('caller', caller)),
        attemptsPerMinute: limits.callerAttemptsPerMinute,
        wrongCodes: limits.callerWrongCodes,
      },
    ];
  }

  private placeOf(name: string): Pick<Subject, 'at' | 'keys'> {
    const partition = partitionOf(name, this.connections.partitions);
    return { at: this.connections.of(partition), keys: guessKeys(name, partition) };
  }
}

/** Counts one more within a window that begins with the first; both in one step, so that no count outlives its window. */
async function countOne(at: PartitionConnection, key: string, windowMs: number): Promise<number> {
  const replies = await ask(at, (redis) => redis.multi().incr(key).pexpire(key, windowMs, 'NX').exec());
  const [[error, count] = [null, 0]] = replies ?? [];
  if (error !== null) throw unavailable(error);
  return Number(count);
}

async function ask<Reply>(at: PartitionConnection, call: (redis: Redis) => Promise<Reply>): Promise<Reply> {
  try {
    return await callPartition(at, call);
  } catch (error) {
    throw unavailable(error);
  }
}

/** Names are hashed: they may be of any length and hold anything. */
function nameOf(kind: string, name: string): string {
  return createHash('sha256').update(`${kind}:${name}`).digest('base64url').slice(0, 22);
}

function tooManyAttempts(retryAfterMs: number): Refusal {
  return new Refusal('TOO_MANY_CODE_ATTEMPTS', 'Too many codes were tried; wait before the next one', {
    retryAfterMs,
  });
}

function unavailable(cause: unknown): Refusal {
  return new Refusal('LEDGER_UNAVAILABLE', 'attempts could not be counted', { cause });
}
