/** Calls for both servers, drawn at random: what the product sends, and what it never should meet. */
import type { LiveDefinition } from '../../../src/domain/live-definition.ts';
import { encodeBatch } from '../../../src/ledger/claim-batch.ts';
import { encodeFacts } from '../../../src/ledger/claim-operation.ts';
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
    const field = random.chance(0.4) ? this.couponField() : this.fieldName();
    if (random.chance(0.15)) return { key, field, value: random.whole(0, 9) };
    return { key, field, value: this.value() };
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
      facts: random.chance(0.5) ? Buffer.alloc(0) : this.facts(),
      costUs: 1,
      isSettled: false,
    }));
    const backlogLimitEvents = random.pick([2, 12, 1_000]);
    const durability = random.pick(['honest', 'refuse', 'degrade']);
    return {
      script: 'claim',
      ...encodeBatch(claims, KEYS, { backlogLimitEvents, durability, clockOffsetMs: 0 }),
    };
  }

  private define(): RandomCall {
    const { random } = this;
    const ref = random.pick(REFS);
    const args = [
      random.pick(['spring', 'autumn', 'a']),
      String(ref),
      String(random.whole(1, 4)),
      random.chance(0.1) ? this.value() : encodeLiveDefinition(this.definition(ref)),
      this.value(),
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
    const field = random.chance(0.4) ? this.couponField() : this.fieldName();
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
        return { kind, on, field, value: this.value() };
      case 'set':
        return {
          kind,
          on,
          field,
          value: this.value(),
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

  private definition(ref: number): LiveDefinition {
    const { random, nowMs } = this;
    const sometimes = (value: number): number | undefined => (random.chance(0.2) ? value : undefined);
    const [claimStartMs, claimEndMs, perUserLimit] = [
      sometimes(this.instant()),
      sometimes(this.instant()),
      sometimes(2),
    ];
    return {
      ref,
      id: '',
      version: random.whole(1, 4),
      state: random.pick(['active', 'active', 'active', 'inactive', 'finished', 'deleted']),
      claimable: random.chance(0.9),
      ...(claimStartMs !== undefined && { claimStartMs }),
      ...(claimEndMs !== undefined && { claimEndMs }),
      ...(perUserLimit !== undefined && { perUserLimit }),
      acknowledgement: random.pick(['fast', 'durable', 'ledger']),
      validity: random.pick([
        { kind: 'days', days: 3 },
        { kind: 'fixed', endMs: nowMs + 50_000 },
        { kind: 'fixed', startMs: nowMs + 50_000 },
        { kind: 'fixed', endMs: nowMs - 50_000 },
      ]),
      target: random.pick([
        { kind: 'everyone' },
        { kind: 'everyone' },
        { kind: 'new_users' },
        { kind: 'new_users', registeredWithinDays: 2 },
        { kind: 'tags', anyOf: ['gold', 'staff'] },
      ]),
      body: new Uint8Array(),
    };
  }

  private facts(): Buffer {
    const { random } = this;
    return encodeFacts({
      ...(random.chance(0.5) && { registeredAtMs: this.nowMs - random.whole(0, 4) * 86_400_000 }),
      ...(random.chance(0.5) && { ordersCompleted: random.whole(0, 1) }),
      tags: random.pick([[], ['gold'], ['silver', 'staff']]),
    });
  }

  /** Well before the partition's clock, or well after it. */
  private instant(): number {
    return this.nowMs + this.random.pick([-100_000, 100_000, 100_000, 100_000]);
  }

  private couponField(): Buffer {
    return Buffer.alloc(16, this.random.whole(1, 5));
  }

  private fieldName(): Buffer {
    const { random } = this;
    return Buffer.from(
      random.pick([
        'n',
        'm',
        'x',
        '@',
        'issued',
        'received',
        'd',
        'a\0b',
        'archivedEvents',
        'h',
        '#\0\0\0\x01',
      ]),
      'latin1',
    );
  }

  private value(): Buffer {
    const { random } = this;
    const text = random.pick([
      '',
      '0',
      '7',
      '499',
      '-3',
      'abc',
      '1.5',
      '0x10',
      '1e3',
      '9007199254740993',
      '\xff\x00\xff',
      'v'.repeat(30),
    ]);
    return random.chance(0.2)
      ? Buffer.alloc(random.pick([8, 30, 45]), random.whole(0, 3))
      : Buffer.from(text, 'latin1');
  }
}
