/** Calls for both servers, drawn at random: what the product sends, and what it never should meet. */
import { encodeBatch } from '../../../src/ledger/claim-batch.ts';
import { partitionKeys } from '../../../src/ledger/keys.ts';
import { encodeLiveDefinition } from '../../../src/ledger/live-definition.ts';
import type { ScriptName } from '../../../src/ledger/script-runner.ts';
import {
  accountOf,
  orderOf,
  promotionOf,
  type RecordName,
  type Step,
  usageOf,
  walletOf,
} from '../../../src/ledger/transaction.ts';
import { encodeTransactions } from '../../../src/ledger/transaction-codec.ts';
import type { Random } from '../time/random.ts';
import { randomDefinition, randomFacts, randomFieldName, randomValue } from './random-values.ts';

const KEYS = partitionKeys(0);
const USERS = ['ann', 'ben', 'x'] as const;
const REFS = [1, 2, 70_000] as const;
const NOT_ANSWERED = { claimed: () => undefined, refused: () => undefined };

/** A script call as it is sent. */
export interface RandomCall {
  readonly script: ScriptName;
  readonly keys: readonly string[];
  readonly args: readonly (string | Buffer)[];
}

/** Something written past the scripts. */
export interface PlantedValue {
  readonly key: string;
  readonly field: Buffer;
  /** A number makes the key a sorted set. */
  readonly value: Buffer | number;
}

/** Draws calls for a partition whose clock stands at about `nowMs`. */
export class RandomCalls {
  private readonly random: Random;
  private readonly nowMs: number;

  constructor(random: Random, nowMs: number) {
    this.random = random;
    this.nowMs = nowMs;
  }

  /** Any call but those of the gatekeeper. */
  next(): RandomCall {
    const { random } = this;
    const kind = random.pick([
      'claim',
      'claim',
      'claim',
      'define',
      'hide',
      'transact',
      'transact',
      'transact',
    ]);
    return this[kind]();
  }

  open(runId: string): RandomCall {
    const { random } = this;
    const args = [
      random.chance(0.1) ? 'f'.repeat(40) : runId,
      random.chance(0.1) ? '2' : '1',
      random.chance(0.1) ? '4' : '1',
    ];
    return { script: 'open', keys: [KEYS.stream, KEYS.meta], args };
  }

  /** A value where it does not belong, or one that cannot be read. */
  planted(): PlantedValue {
    const { random } = this;
    const user = random.pick(USERS);
    const key = random.pick([
      KEYS.walletPrefix + user,
      KEYS.accountPrefix + user,
      KEYS.promotionPrefix + random.pick(REFS),
      KEYS.usagePrefix + random.pick(REFS),
      KEYS.meta,
      KEYS.due,
      `${KEYS.orderPrefix}${user}/o1`,
    ]);
    const field = random.chance(0.4) ? this.couponField() : randomFieldName(this.random);
    if (random.chance(0.15)) return { key, field, value: random.whole(0, 9) };
    return { key, field, value: randomValue(this.random) };
  }

  private claim(): RandomCall {
    const { random } = this;
    const claims = Array.from({ length: random.whole(1, 6) }, () => ({
      request: {
        promotionRef: random.pick(REFS),
        userId: random.pick(USERS),
        fieldHex: this.couponField().toString('hex'),
        deadlineMs: this.instant(),
        facts: undefined,
        listener: NOT_ANSWERED,
      },
      facts: random.chance(0.5) ? Buffer.alloc(0) : randomFacts(this.random, this.nowMs),
      costUs: 1,
      isSettled: false,
      unknownUntilMs: 0,
    }));
    const backlogLimitEvents = random.pick([2, 12, 1_000]);
    const durability = random.pick(['honest', 'refuse', 'degrade']);
    return {
      script: 'claim',
      ...encodeBatch(claims, KEYS, {
        backlogLimitEvents,
        durability,
        clockOffsetMs: 0,
        attemptUntilMs: Number.MAX_SAFE_INTEGER,
      }),
    };
  }

  private define(): RandomCall {
    const { random } = this;
    const ref = random.pick(REFS);
    const args = [
      random.pick(['spring', 'autumn', 'a']),
      String(ref),
      String(random.whole(1, 4)),
      random.chance(0.1)
        ? randomValue(this.random)
        : encodeLiveDefinition(randomDefinition(this.random, this.nowMs, ref)),
      randomValue(this.random),
      random.pick(['', '0', '3', '1000']),
      random.pick(['1', '1', '1', '1', '2']),
      random.pick(['0', '1']),
    ];
    const keys = [KEYS.stream, KEYS.meta, KEYS.promotionPrefix + ref, KEYS.index];
    return { script: 'define', keys, args };
  }

  private hide(): RandomCall {
    const user = this.random.pick(USERS);
    const args = [this.couponField(), String(this.instant()), user, '1'];
    return { script: 'hide', keys: [KEYS.stream, KEYS.meta, KEYS.walletPrefix + user], args };
  }

  private transact(): RandomCall {
    const { random } = this;
    const transactions = Array.from({ length: random.whole(1, 4) }, () => ({
      transaction: {
        event: random.pick(['reserved', 'committed', 'used', 'granted', 'revoked']),
        opensNew: random.chance(0.5),
        steps: Array.from({ length: random.whole(0, 7) }, () => this.step()),
      },
      serverDeadlineMs: this.instant(),
    }));
    return { script: 'transact', ...encodeTransactions(transactions, KEYS, random.pick([2, 12, 1_000])) };
  }

  private step(): Step {
    const { random } = this;
    const on = this.record();
    const field = random.chance(0.4) ? this.couponField() : randomFieldName(this.random);
    const kind = random.pick([
      'replay',
      'expect',
      'absent',
      'set',
      'set',
      'remove',
      'add',
      'add',
      'within',
      'live',
      'due',
    ]);
    switch (kind) {
      case 'replay':
      case 'absent':
      case 'remove':
        return { kind, on, field };
      case 'expect':
        return { kind, on, field, value: randomValue(this.random) };
      case 'set':
        return {
          kind,
          on,
          field,
          value: randomValue(this.random),
          ...(random.chance(0.3) && {
            times: [{ offset: random.whole(0, 12), plusMs: random.whole(0, 99_999) }],
          }),
        };
      case 'add':
        return {
          kind,
          on,
          field,
          delta: random.whole(-3, 5),
          min: random.pick([0, -10]),
          max: random.pick([2, 50, Number.MAX_SAFE_INTEGER]),
        };
      case 'within':
        return {
          kind,
          fromMs: random.pick([0, this.nowMs + 100_000]),
          toMs: random.pick([2 ** 48 - 1, this.nowMs - 100_000]),
        };
      case 'live':
        return { kind, userId: random.pick(USERS), change: random.whole(-2, 100) };
      case 'due':
        return {
          kind,
          member: `${random.pick(USERS)}/o${random.whole(1, 3)}`,
          afterMs: random.chance(0.6) ? random.whole(0, 9_999) : undefined,
        };
    }
  }

  private record(): RecordName {
    const { random } = this;
    const user = random.pick(USERS);
    return random.pick([
      walletOf(user),
      accountOf(user),
      orderOf(user, 'o1'),
      usageOf(random.pick(REFS)),
      promotionOf(random.pick(REFS)),
    ]);
  }

  /** Well before the partition's clock, or well after it. */
  private instant(): number {
    return this.nowMs + this.random.pick([-100_000, 100_000, 100_000, 100_000]);
  }

  private couponField(): Buffer {
    return Buffer.alloc(16, this.random.whole(1, 5));
  }
}
