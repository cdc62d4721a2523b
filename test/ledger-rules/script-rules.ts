/**
 * The rules that live in the ledger's scripts, each with what the script would say without it and how one can tell. `holds`
 * looks at a fresh ledger: true with the scripts as they are, false once the rule is taken out.
 */

import { encodeCouponValue } from '../../src/domain/coupon.ts';
import { couponFieldHex } from '../../src/ledger/coupon-field.ts';
import { accountOf, orderOf, usageOf, walletOf } from '../../src/ledger/transaction.ts';
import { definitionOf, soon } from '../ledger-fixture.ts';
import type { RuleWorld } from './rule-world.ts';
import type { Removal } from './without-rule.ts';

/** One rule. */
export interface ScriptRule {
  /** Number of the rule in LEDGER.md, or of the invariant. */
  readonly rule: string;
  readonly says: string;
  readonly without: readonly Removal[];
  readonly holds: (world: RuleWorld) => Promise<boolean>;
}

const CLAIMED = 1;
const REPLAYED = 2;
const REUSED = 13;
const LATE = 14;
const BACKLOG = 15;
const UNMET = 17;
const HOUR_MS = 3_600_000;
const WALLET_LIMIT = 500;
const NUMBER = Buffer.from('n');
const GATE = 'if fields[1] ~= run_id or not fields[2] then return nil end';
const NO_GATE = 'if not fields[2] then return nil end';

/** Closes the gate and does something; true when no entry and no record came of it. */
async function staysShut(world: RuleWorld, write: () => Promise<unknown>): Promise<boolean> {
  await world.define();
  await world.claim({ user: 'held', request: 'r' });
  const before = await world.entryIds();
  await world.plant({ open: 'f'.repeat(40) });
  await write().catch(() => undefined);
  return (await world.entryIds()).length === before.length;
}

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

/** Rules of every write: gate, clock, order of writing, numbers, events. */
const WRITING: readonly ScriptRule[] = [
  {
    rule: 'LEDGER 1',
    says: 'the entry is written first, so that nothing is written when it cannot be',
    without: [
      {
        script: 'claim',
        text: 'seq = append_entry(stream, meta, partition, events)',
        instead:
          "for _, write in ipairs(writes) do redis.call('HSET', write[1], write[2], write[3]) end seq = append_entry(stream, meta, partition, events)",
      },
    ],
    holds: async (world) => {
      await world.define();
      // Redis refuses an entry of an older generation.
      await world.plant({ generation: 0 });
      const outcome = await world.claim({ user: 'ann', request: 'r' });
      return outcome === 'failed' && Object.keys(await world.wallet('ann')).length === 0;
    },
  },
  {
    rule: 'LEDGER 3',
    says: 'the clock never runs behind the last event',
    without: [{ script: 'claim', text: 'now = math.max(now, tonumber(fields[3]))', instead: 'now = now' }],
    holds: async (world) => {
      await world.define();
      const ahead = Date.now() + HOUR_MS;
      await world.plant({ time: ahead });
      await world.claim({ user: 'ann', request: 'r', deadlineMs: ahead + HOUR_MS });
      return (await world.lastEntry()).timeMs >= ahead;
    },
  },
  {
    rule: 'LEDGER 3',
    says: 'a claim that comes after its deadline is not carried out any more',
    without: [
      { script: 'claim', text: 'if deadline < now then return refusal(14, deadline, now) end', instead: '' },
    ],
    holds: async (world) => {
      await world.define();
      return (await world.claim({ user: 'ann', request: 'r', deadlineMs: 1 })) === LATE;
    },
  },
  {
    rule: 'LEDGER 3',
    says: 'a transaction that comes after its deadline is not carried out any more',
    without: [{ script: 'transact', text: "if deadline < now then return LATE, '' end", instead: '' }],
    holds: async (world) => {
      const steps = [{ kind: 'add' as const, on: usageOf(1), field: NUMBER, delta: 1 }];
      return (await world.transact(steps, { serverDeadlineMs: 1 })) === 'late';
    },
  },
  {
    rule: 'LEDGER 4',
    says: 'a large number is written digit by digit',
    without: [
      {
        script: 'claim',
        text: "'events', string.format('%d', total))",
        instead: "'events', total .. '')",
      },
    ],
    holds: async (world) => {
      await world.define();
      await world.plant({ events: '1234567890123456', archivedEvents: '1234567890123456' });
      await world.claim({ user: 'ann', request: 'r' });
      return (await world.meta('events')) === '1234567890123457';
    },
  },
  {
    rule: 'LEDGER 6',
    says: 'entries are numbered without a gap, in their generation',
    without: [{ script: 'claim', text: "partition.generation .. '-*'", instead: "'*'" }],
    holds: async (world) => {
      await world.define();
      await world.claim({ user: 'ann', request: 'r' });
      await world.claim({ user: 'bob', request: 'r' });
      const ids = await world.entryIds();
      return ids.every((id, index) => id === `1-${index}`);
    },
  },
  {
    rule: 'LEDGER 7',
    says: 'an event tells counters as they are after it',
    without: [
      {
        script: 'claim',
        text: "string.format('%d', count), string.format('%d', p.issued)\n",
        instead: "'1', '1'\n",
      },
    ],
    holds: async (world) => {
      await world.define({ perUserLimit: 5 });
      await world.claim({ user: 'ann', request: 'r1' });
      await world.claim({ user: 'ann', request: 'r2' });
      const writes = (await world.lastEntry()).events[0]?.writes ?? [];
      const issued = writes.find(({ target }) => target === 'promotion')?.fields[0]?.value;
      return issued?.toString() === '2';
    },
  },
  {
    rule: 'LEDGER 9',
    says: 'an older definition that comes late changes nothing',
    without: [{ script: 'define', text: '>= version then', instead: '>= 4294967296 then' }],
    holds: async (world) => {
      await world.define({ version: 2, state: 'inactive' });
      await world.define({ version: 1 });
      return (await world.claim({ user: 'ann', request: 'r' })) !== CLAIMED;
    },
  },
  {
    rule: 'LEDGER 15',
    says: 'a claim writes nothing while the gate is shut',
    without: [{ script: 'claim', text: GATE, instead: NO_GATE }],
    holds: (world) => staysShut(world, () => world.claim({ user: 'ann', request: 'r' })),
  },
  {
    rule: 'LEDGER 15',
    says: 'a definition is not written while the gate is shut',
    without: [{ script: 'define', text: GATE, instead: NO_GATE }],
    holds: (world) =>
      staysShut(world, () => world.fixture.ledger.define(definitionOf({ version: 2 }), Date.now() + 200)),
  },
  {
    rule: 'LEDGER 15',
    says: 'nothing is hidden while the gate is shut',
    without: [{ script: 'hide', text: GATE, instead: NO_GATE }],
    holds: (world) =>
      staysShut(world, async () => {
        const field = couponFieldHex('claim', 'held', 'r');
        const value = await world.fixture.redis.hgetBuffer(
          `${world.keys.walletPrefix}held`,
          Buffer.from(field, 'hex'),
        );
        // A coupon that is used may be hidden.
        value?.writeUInt8(3, 1);
        await world.fixture.redis.hset(
          `${world.keys.walletPrefix}held`,
          new Map([[Buffer.from(field, 'hex'), value ?? '']]),
        );
        await world.fixture.ledger.hide('held', field, Date.now() + 200);
      }),
  },
  {
    rule: 'LEDGER 15',
    says: 'a transaction writes nothing while the gate is shut',
    without: [{ script: 'transact', text: GATE, instead: NO_GATE }],
    holds: (world) =>
      staysShut(world, () => world.transact([{ kind: 'add', on: usageOf(1), field: NUMBER, delta: 1 }])),
  },
  {
    rule: 'LEDGER 15',
    says: 'the archive puts nothing back into a partition that is open',
    without: [
      {
        script: 'apply',
        text: "if redis.call('HGET', meta, 'open') == run_id then return 0 end",
        instead: '',
      },
    ],
    holds: async (world) => {
      await world.define();
      const { admin } = world.fixture;
      const last = (await admin.lastSeq()) ?? -1;
      const payload = (await admin.readEntry(last)) ?? Buffer.alloc(0);
      await admin.applyEntries([{ seq: last + 1, payload }], last).catch(() => undefined);
      return (await admin.lastSeq()) === last;
    },
  },
];

/** Rules of deciding: what is looked at first, and what bounds it. */
const DECIDING: readonly ScriptRule[] = [
  {
    rule: 'LEDGER 2',
    says: 'what was done is found before anything refuses it',
    without: [
      {
        script: 'claim',
        text: 'local existing = wallet.coupons[field]',
        instead:
          'local early = claim_refusal(p, wallet, facts_at, facts_length) if early then return early end local existing = wallet.coupons[field]',
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

/** Rules of transactions, on which orders, points and all the rest stand. */
const TRANSACTING: readonly ScriptRule[] = [
  {
    rule: 'LEDGER 1',
    says: 'a transaction whose last step fails leaves nothing of the others',
    without: [
      {
        script: 'transact',
        text: 'copy[field] = written',
        instead: 'copy[field] = written record.fields[field] = written',
      },
    ],
    holds: async (world) => {
      const on = accountOf('ann');
      const field = Buffer.from('f');
      await world.fixture.ledger.transact(
        { event: 'reserved', opensNew: false, steps: [{ kind: 'set', on, field, value: Buffer.from('0') }] },
        soon(),
      );
      const failing = world.fixture.ledger.transact(
        {
          event: 'reserved',
          opensNew: false,
          steps: [
            { kind: 'set', on, field, value: Buffer.from('1') },
            { kind: 'absent', on, field },
          ],
        },
        soon(),
      );
      const reading = world.fixture.ledger.transact(
        {
          event: 'reserved',
          opensNew: false,
          steps: [{ kind: 'expect', on, field, value: Buffer.from('0') }],
        },
        soon(),
      );
      const [, read] = await Promise.all([failing, reading]);
      return read.kind === 'done';
    },
  },
  {
    rule: 'LEDGER 2',
    says: 'a transaction that was done before is not done again',
    without: [{ script: 'transact', text: 'if value then return REPLAYED, value end', instead: '' }],
    holds: async (world) => {
      const on = orderOf('ann', 'o');
      const field = Buffer.from('h');
      const steps = [
        { kind: 'replay' as const, on, field },
        { kind: 'set' as const, on, field, value: Buffer.from('1') },
      ];
      return (await world.transact(steps)) === 'done' && (await world.transact(steps)) === 'replayed';
    },
  },
  {
    rule: 'I4',
    says: 'what was decided on a record that has changed since is not carried out',
    without: [
      { script: 'transact', text: 'if value ~= wanted then return differing(step, value) end', instead: '' },
    ],
    holds: async (world) => {
      const field = Buffer.from('f');
      const steps = [{ kind: 'expect' as const, on: walletOf('ann'), field, value: Buffer.from('unused') }];
      return (await world.transact(steps)) === 'differs';
    },
  },
  {
    rule: 'I5',
    says: 'a counter never leaves its bounds',
    without: [
      {
        script: 'transact',
        text: 'if after < tonumber(least) or after > tonumber(most) then',
        instead: 'if false then',
      },
    ],
    holds: async (world) => {
      const step = { kind: 'add' as const, on: usageOf(1), field: NUMBER, max: 2 };
      const over = await world.transact([{ ...step, delta: 3 }]);
      const under = await world.transact([{ ...step, delta: -1 }]);
      return over === 'out_of_bounds' && under === 'out_of_bounds';
    },
  },
  {
    rule: 'LEDGER 3',
    says: 'a period that is over when the decision falls is not counted',
    without: [
      {
        script: 'transact',
        text: 'if now < from or now > to then return OUTSIDE, numbered(step) end',
        instead: '',
      },
    ],
    holds: async (world) => (await world.transact([{ kind: 'within', fromMs: 0, toMs: 1 }])) === 'outside',
  },
  {
    rule: 'LEDGER 7',
    says: 'every event of a user is told by the wallet, so that whoever compares knows how far it is',
    without: [
      {
        script: 'transact',
        text: "copy['@'] = NO_SEQ .. string.sub(record.fields['@'] or EMPTY_WALLET, SEQ_BYTES + 1)",
        instead: '',
      },
    ],
    holds: async (world) => {
      await world.transact([
        { kind: 'set', on: walletOf('ann'), field: Buffer.from('#0001'), value: Buffer.from('1') },
      ]);
      return (await world.wallet('ann'))['@'] !== undefined;
    },
  },
];

/** All of them. */
export const SCRIPT_RULES: readonly ScriptRule[] = [...WRITING, ...DECIDING, ...TRANSACTING];
