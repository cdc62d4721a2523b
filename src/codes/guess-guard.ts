/**
 * Keeps codes from being guessed. Everybody who tries codes has a number of attempts per minute; who has tried too many
 * wrong ones is locked out for a while. Counted are the caller (the token's subject) and the user, apart from each other
 * and for all processes together, in Redis beside the ledger: losing these figures costs nothing but a little patience of
 * whoever guesses.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { Refusal } from '../domain/refusal.ts';
import { guessKeys } from '../ledger/keys.ts';

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
  readonly keys: { readonly attempts: string; readonly wrong: string; readonly locked: string };
  readonly attemptsPerMinute: number;
  readonly wrongCodes: number;
}

/** Counts attempts and wrong codes. */
export class GuessGuard {
  private readonly redis: Redis;
  private readonly limits: GuessLimits;

  constructor(redis: Redis, limits: GuessLimits) {
    this.redis = redis;
    this.limits = limits;
  }

  /** Admits an attempt. Throws TOO_MANY_CODE_ATTEMPTS with the time to wait, or LEDGER_UNAVAILABLE. */
  async admit(guesser: Guesser): Promise<void> {
    for (const subject of this.subjects(guesser)) {
      const { attempts, locked } = subject.keys;
      const lockedForMs = Number(await this.ask(this.redis.pttl(locked)));
      if (lockedForMs > 0) throw tooManyAttempts(lockedForMs);
      const count = await this.count(attempts, MINUTE_MS);
      if (count <= subject.attemptsPerMinute) continue;
      throw tooManyAttempts(Math.max(1, Number(await this.ask(this.redis.pttl(attempts)))));
    }
  }

  /** Notes that the code was wrong, or somebody else's. */
  async noteWrong(guesser: Guesser): Promise<void> {
    for (const { keys, wrongCodes } of this.subjects(guesser)) {
      const count = await this.count(keys.wrong, this.limits.wrongWindowMs);
      if (count < wrongCodes) continue;
      await this.ask(this.redis.set(keys.locked, '1', 'PX', this.limits.lockoutMs));
      await this.ask(this.redis.del(keys.wrong));
    }
  }

  private subjects({ caller, userId }: Guesser): readonly Subject[] {
    const { limits } = this;
    return [
      {
        keys: guessKeys(nameOf('user', userId), 0),
        attemptsPerMinute: limits.userAttemptsPerMinute,
        wrongCodes: limits.userWrongCodes,
      },
      {
        keys: guessKeys(nameOf('caller', caller), 0),
        attemptsPerMinute: limits.callerAttemptsPerMinute,
        wrongCodes: limits.callerWrongCodes,
      },
    ];
  }

  /** Counts one more within a window that begins with the first; both in one step, so that no count outlives its window. */
  private async count(key: string, windowMs: number): Promise<number> {
    const replies = await this.ask(this.redis.multi().incr(key).pexpire(key, windowMs, 'NX').exec());
    const [[error, count] = [null, 0]] = replies ?? [];
    if (error !== null) throw unavailable(error);
    return Number(count);
  }

  private async ask<Reply>(reply: Promise<Reply>): Promise<Reply> {
    return await reply.catch((error: unknown) => {
      throw unavailable(error);
    });
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
