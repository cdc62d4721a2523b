/** Faults in how leases are made, each of which the schedules must find: the proof that they can fail. */
import type { RecordName, Step, Transaction } from '../../src/ledger/transaction.ts';
import type { Mutation } from './lease-process.ts';

type Changes = (step: Step) => boolean;

function fieldOf(step: Step): string {
  return 'field' in step ? step.field.toString('latin1') : '';
}

function isOn(step: Step, record: RecordName['record']): boolean {
  return 'on' in step && step.on.record === record;
}

const isCheck = ({ kind }: Step): boolean => kind === 'expect' || kind === 'absent';
const isConfirming = ({ steps }: Transaction): boolean => steps.every(isCheck);

function without(drops: Changes): Mutation {
  return {
    transaction: (transaction) =>
      isConfirming(transaction)
        ? transaction
        : { ...transaction, steps: transaction.steps.filter((step) => !drops(step)) },
  };
}

/** Figures are moved by so much instead of being set to what they come to. */
function asAmounts({ steps, ...rest }: Transaction): Transaction {
  const before = (field: string): number => {
    const read = steps.find((step) => isCheck(step) && fieldOf(step) === field);
    return read?.kind === 'expect' ? Number(read.value.toString('latin1')) : 0;
  };
  const moved = steps.map((step): Step => {
    if (step.kind !== 'set') return step;
    const delta = Number(step.value.toString('latin1')) - before(fieldOf(step));
    return { kind: 'add', on: step.on, field: step.field, delta, min: Number.MIN_SAFE_INTEGER };
  });
  return { ...rest, steps: moved.filter((step) => !isCheck(step)) };
}

const isNothing = (transaction: Transaction): Transaction =>
  isConfirming(transaction) ? { ...transaction, steps: [] } : transaction;

/** What the fault does, and the fault. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'units are moved by amounts': {
    transaction: (transaction) => (isConfirming(transaction) ? transaction : asAmounts(transaction)),
  },
  'nobody looks whether the pool has changed': without((step) => isOn(step, 'pool') && isCheck(step)),
  'nobody looks whether a share has changed': without((step) => isOn(step, 'promotion') && isCheck(step)),
  'the pool grants without a bound': {
    transaction: ({ steps, ...rest }) => ({
      ...rest,
      steps: steps.map((step) => {
        return step.kind === 'add' && isOn(step, 'pool') ? { ...step, max: Number.MAX_SAFE_INTEGER } : step;
      }),
    }),
  },
  'units in use are given back': without((step) => step.kind === 'add' && isOn(step, 'promotion')),
  'units come although the definition has changed': without((step) => isCheck(step) && fieldOf(step) === 'd'),
  'the end is told without asking the other partitions': {
    transaction: isNothing,
    record: (fields) => {
      const received = fields.get('received');
      return received === undefined || received.length === 0
        ? fields
        : new Map([...fields, ['issued', received]]);
    },
  },
  'leases stay open when the quantity falls': { keepsLeases: true },
  'a definition comes to the pool last': { definesHomeLast: true },
  'the unit of a revoked coupon stays where it was': { keepsRevokedUnits: true },
};

/** The same for budgets. */
export const USES_MUTATIONS: Readonly<Record<string, Mutation>> = {
  'nobody looks whether the pool has changed': without((step) => isOn(step, 'pool') && isCheck(step)),
  'nobody looks whether a lease has changed': without((step) => isOn(step, 'usage') && isCheck(step)),
  'a lease made under a larger limit counts under a smaller one': {
    transaction: ({ steps, ...rest }) => ({ ...rest, steps: steps.map(withoutLimit) }),
  },
};

function withoutLimit(step: Step): Step {
  if (step.kind !== 'set' || !isOn(step, 'usage')) return step;
  const [granted, back] = step.value.toString('latin1').split('/');
  return { ...step, value: Buffer.from(`${granted}/${back}/0`) };
}
