/** Rules of what claims decide: what is looked at first, and what bounds it. */

import { encodeCouponValue } from '../../src/domain/coupon.ts';
import { couponFieldHex } from '../../src/ledger/coupon-field.ts';
import { usageOf } from '../../src/ledger/transaction.ts';
import type { RuleWorld } from './rule-world.ts';
import type { ScriptRule } from './script-rule.ts';

const CLAIMED = 1;
const REPLAYED = 2;
const REUSED = 13;
const BACKLOG = 15;
const UNMET = 17;
const WALLET_LIMIT = 500;
const NUMBER = Buffer.from('n');

async function plantFullWallet(world: RuleWorld, user: string): Promise<void> {
  const value = encodeCouponValue({
    state: 'unused',
    source: 'claim',
    promotionRef: 9,
    promotionVersion: 1,
    issuedAtMs: 1,
    validFromMs: 1,
    hidden: false,
  });
  const fields = new Map<string | Buffer, string | Buffer>();
  for (let index = 0; index < WALLET_LIMIT; index += 1)
    fields.set(Buffer.from(couponFieldHex('claim', user, `planted-${index}`), 'hex'), Buffer.from(value));
  fields.set('@', Buffer.from([0, 0, 0, 0, 0, 0, WALLET_LIMIT >> 8, WALLET_LIMIT & 255]));
  await world.fixture.redis.hset(world.keys.walletPrefix + user, fields);
}

/** Rules of deciding: what is looked at first, and what bounds it. */
export const DECIDING: readonly ScriptRule[] = [
  {
    rule: 'LEDGER 2',
    says: 'what was done is found before anything refuses it',
    without: [
      {
        script: 'claim',
        text: 'if existing then',
        instead:
          'local early = claim_refusal(p, key, made, 0, count, deadline, facts_at, facts_length) if early then return early end if existing then',
      },
    ],
    holds: async (world) => {
      await world.define({ quantity: 1 });
      await world.claim({ user: 'ann', request: 'r' });
      return (await world.claim({ user: 'ann', request: 'r' })) === REPLAYED;
    },
  },
  {
    rule: 'LEDGER 5',
    says: 'an id that was used for one promotion is not answered for another',
    without: [
      {
        script: 'claim',
        text: "if struct.unpack('>I4', existing, 5) ~= p.number then return refusal(13) end",
        instead: '',
      },
    ],
    holds: async (world) => {
      await world.define();
      await world.define({ ref: 2, id: 'other' });
      await world.claim({ user: 'ann', request: 'r' });
      return (await world.claim({ user: 'ann', request: 'r', ref: 2 })) === REUSED;
    },
  },
  {
    rule: 'I1',
    says: 'not one more than the stock',
    without: [{ script: 'claim', text: 'p.issued >= p.received', instead: 'p.issued > p.received' }],
    holds: async (world) => {
      await world.define({ quantity: 1 });
      await world.claim({ user: 'ann', request: 'r' });
      return (await world.claim({ user: 'bob', request: 'r' })) !== CLAIMED;
    },
  },
  {
    rule: 'I2',
    says: 'not one more than a user may have',
    without: [{ script: 'claim', text: 'count >= p.limit', instead: 'count > p.limit' }],
    holds: async (world) => {
      await world.define({ perUserLimit: 1 });
      await world.claim({ user: 'ann', request: 'r1' });
      return (await world.claim({ user: 'ann', request: 'r2' })) !== CLAIMED;
    },
  },
  {
    rule: 'LEDGER 13',
    says: 'a durable claim is refused on a server that keeps less',
    without: [
      {
        script: 'claim',
        text: "if p.ack == ACK_DURABLE and durable_mode == '0' then return refusal(17) end",
        instead: '',
      },
    ],
    holds: async (world) => {
      await world.define();
      const settings = { durability: 'refuse' as const };
      return (await world.claim({ user: 'ann', request: 'r', settings })) === UNMET;
    },
  },
  {
    rule: 'LEDGER 13',
    says: 'what a degraded server acknowledges is not called durable',
    without: [
      {
        script: 'claim',
        text: "p.ack == ACK_DURABLE and durable_mode == '1'",
        instead: 'p.ack == ACK_DURABLE',
      },
    ],
    holds: async (world) => {
      await world.define();
      return (
        (await world.acknowledged({ user: 'ann', request: 'r', settings: { durability: 'degrade' } })) ===
        'fast'
      );
    },
  },
  {
    rule: 'LEDGER 14',
    says: 'new claims are refused while the archive is far behind, and old ones still answered',
    without: [{ script: 'claim', text: 'partition.backlog >= backlog_limit', instead: 'false' }],
    holds: async (world) => {
      await world.define();
      await world.claim({ user: 'ann', request: 'r' });
      const settings = { backlogLimitEvents: 0 };
      const again = await world.claim({ user: 'ann', request: 'r', settings });
      return again === REPLAYED && (await world.claim({ user: 'bob', request: 'r', settings })) === BACKLOG;
    },
  },
  {
    rule: 'LEDGER 14',
    says: 'what begins something new is refused while the archive is far behind, and what ends something is not',
    without: [
      { script: 'transact', text: 'opens == 1 and partition.backlog >= backlog_limit', instead: 'false' },
    ],
    holds: async (world) => {
      const steps = [{ kind: 'add' as const, on: usageOf(1), field: NUMBER, delta: 1 }];
      const ends = await world.transact(steps, { backlogLimitEvents: 0 });
      const begins = await world.transact(steps, { backlogLimitEvents: 0, opensNew: true });
      return ends === 'done' && begins === 'backlog';
    },
  },
  {
    rule: 'LEDGER 25',
    says: 'a wallet holds at most 500 live coupons',
    without: [{ script: 'claim', text: 'local WALLET_LIMIT = 500', instead: 'local WALLET_LIMIT = 60000' }],
    holds: async (world) => {
      await world.define();
      await plantFullWallet(world, 'ann');
      return (await world.claim({ user: 'ann', request: 'r' })) !== CLAIMED;
    },
  },
];
