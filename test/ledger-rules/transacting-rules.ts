/** Rules of transactions, on which orders, points and all the rest stand. */
import { accountOf, orderOf, usageOf, walletOf } from '../../src/ledger/transaction.ts';
import { soon } from '../ledger-fixture.ts';
import type { ScriptRule } from './script-rule.ts';

const NUMBER = Buffer.from('n');

/** Rules of transactions, on which orders, points and all the rest stand. */
export const TRANSACTING: readonly ScriptRule[] = [
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
