/** Rules of every write of the scripts: gate, clock, order of writing, numbers, events. */

import { couponFieldHex } from '../../src/ledger/coupon-field.ts';
import { usageOf } from '../../src/ledger/transaction.ts';
import { definitionOf } from '../ledger-fixture.ts';
import type { RuleWorld } from './rule-world.ts';
import type { ScriptRule } from './script-rule.ts';

const CLAIMED = 1;
const LATE = 14;
const HOUR_MS = 3_600_000;
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

/** Rules of every write: gate, clock, order of writing, numbers, events. */
export const WRITING: readonly ScriptRule[] = [
  {
    rule: 'LEDGER 1',
    says: 'the entry is written first, so that nothing is written when it cannot be',
    without: [
      {
        script: 'claim',
        text: 'seq = append_entry(stream, meta, partition, events)',
        instead:
          "for at = 1, write_end, WRITE_PARTS do redis.call('HSET', writes[at], writes[at + 1], writes[at + 2].value) end seq = append_entry(stream, meta, partition, events)",
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
        text: "string.sub(key, wallet_prefix + 1), string.format('%d', p.issued)",
        instead: "string.sub(key, wallet_prefix + 1), '1'",
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
