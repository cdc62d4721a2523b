/** Faults in what the product writes, each of which the model must find: the proof that the model-based test can fail. */
import type { Step, Transaction } from '../../src/ledger/transaction.ts';
import type { Mutation } from './world.ts';

type Drops = (step: Step, transaction: Transaction) => boolean;

/** The transaction without some of its steps. */
function without(events: readonly Transaction['event'][], drops: Drops): Mutation {
  return (transaction) => {
    if (!events.includes(transaction.event)) return transaction;
    return { ...transaction, steps: transaction.steps.filter((step) => !drops(step, transaction)) };
  };
}

function isOn(step: Step, record: string): boolean {
  return 'on' in step && step.on.record === record;
}

function isField(step: Step, name: string): boolean {
  return 'field' in step && step.field.toString('latin1').startsWith(name);
}

const isTaking = (step: Step): boolean => step.kind === 'add' && step.delta < 0;

/** What the fault does, and the fault. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'a release does not give uses back': without(['released'], (step) => isTaking(step) && isOn(step, 'usage')),
  'a lapse leaves coupons held': without(['lapsed'], (step) => isOn(step, 'wallet')),
  'a lapse leaves the order due': without(['lapsed'], ({ kind }) => kind === 'due'),
  'a commit leaves used coupons among the live': without(['committed'], ({ kind }) => kind === 'live'),
  'a return does not give the use of the user back': without(
    ['returned'],
    (step) => isTaking(step) && isOn(step, 'account'),
  ),
  'a return leaves no record of itself': without(
    ['returned'],
    (step) => (step.kind === 'set' || step.kind === 'replay') && isField(step, 'r:'),
  ),
  'a refund takes no points': without(
    ['refunded'],
    (step) => step.kind === 'set' && isOn(step, 'account') && isField(step, 'p'),
  ),
  'a refund leaves no record of itself': without(
    ['refunded'],
    (step) => (step.kind === 'set' || step.kind === 'replay') && isField(step, 'r:'),
  ),
  'an exchange takes no points': without(
    ['exchanged'],
    (step) => step.kind === 'set' && isOn(step, 'account') && isField(step, 'p'),
  ),
  'a revoke does not bring stock back': without(
    ['revoked'],
    (step) => isTaking(step) && isField(step, 'issued'),
  ),
  'an order that earned is not noted': without(
    ['points_earned'],
    (step) => step.kind === 'set' && isOn(step, 'order'),
  ),
  'an award is not noted': without(['points_awarded'], (step) => step.kind === 'set' && isField(step, 'w:')),
  'a hold does not look whether the coupon changed': without(
    ['reserved', 'used'],
    (step) =>
      (step.kind === 'expect' && isOn(step, 'wallet')) || (step.kind === 'absent' && isOn(step, 'account')),
  ),
  'a hold does not look whether the order changed': without(
    ['reserved', 'used'],
    (step) => (step.kind === 'expect' || step.kind === 'absent') && isField(step, 'h'),
  ),
  'limits of uses do not bind': (transaction) => ({
    ...transaction,
    steps: transaction.steps.map((step) => {
      if (step.kind !== 'add' || !isOn(step, 'usage')) return step;
      const { max: _, ...rest } = step;
      return rest;
    }),
  }),
  'a user may have more coupons than the limit': (transaction) => ({
    ...transaction,
    steps: transaction.steps.map((step) => {
      if (step.kind !== 'add' || !isOn(step, 'wallet')) return step;
      const { max: _, ...rest } = step;
      return rest;
    }),
  }),
};
