/** Faults planted into what the product does, each of which the simulation must find: the proof that it can fail. */

import { LeaseKeeper } from '../../src/archive/lease-keeper.ts';
import { TrimMargin } from '../../src/archive/trim-margin.ts';
import { ClaimQueue } from '../../src/ledger/claim-queue.ts';
import type { Step, Transaction } from '../../src/ledger/transaction.ts';
import { generateSchedule } from './schedule/generate.ts';
import { LATE_ATTEMPT } from './schedule/late-attempt.ts';
import type { Schedule } from './schedule/plan.ts';
import type { PlantedFaults } from './schedule/world.ts';
import { Random } from './time/random.ts';
import type { TransactionFault } from './world/serving-process.ts';

/** A planted fault, and what has to be put back after it. */
export interface Mutation {
  /** Where to look from: rare faults show only after hundreds of schedules, which a test need not run each time. */
  readonly firstSeed?: number;
  /** Schedules in which the fault can show; absent: those of `generate.ts`. */
  readonly schedule?: (seed: number) => Schedule;
  readonly planted: PlantedFaults;
  /** Plants what is not told by `planted`; answers with what takes it away again. */
  readonly begin?: () => () => void;
}

/** Replaces a method of a class. */
function patch(
  target: object,
  name: string,
  method: (this: never, ...args: never[]) => unknown,
): () => () => void {
  return () => {
    const before: unknown = Reflect.get(target, name);
    Reflect.set(target, name, method);
    return () => void Reflect.set(target, name, before);
  };
}

function onSteps(
  events: readonly Transaction['event'][],
  change: (steps: readonly Step[]) => readonly Step[],
): TransactionFault {
  return (transaction) =>
    events.includes(transaction.event) ? { ...transaction, steps: change(transaction.steps) } : transaction;
}

function without(events: readonly Transaction['event'][], drops: (step: Step) => boolean): TransactionFault {
  return onSteps(events, (steps) => steps.filter((step) => !drops(step)));
}

const isOn = (step: Step, record: string): boolean => 'on' in step && step.on.record === record;
const isField = (step: Step, name: string): boolean =>
  'field' in step && step.field.toString('latin1') === name;
const isChecked = ({ kind }: Step): boolean => kind === 'expect' || kind === 'absent';

/** A batch is written long after the archiver gave it up, and Redis loses what is in it meanwhile. */
function lateBatches(seed: number): Schedule {
  const random = new Random(seed);
  const { settings } = generateSchedule(seed);
  const atMs = random.whole(60, 500);
  return {
    seed,
    settings: { ...settings, appendFsync: 'everysec', hasReplica: false, durabilityFallback: 'degrade' },
    operations: Array.from({ length: 24 }, (_, index) => ({
      kind: 'claim',
      promotion: 'fast',
      user: 'ann',
      request: `r${index}`,
      atMs: Math.max(0, atMs - 30 + index * 6),
      process: index,
      deadlineMs: 150,
      attempts: 4,
    })),
    faults: [
      {
        kind: 'call',
        process: 'postgres',
        number: 0,
        call: random.whole(6, 22),
        fate: 'late',
        forMs: random.pick([120, 150, 200]),
      },
      { kind: 'restart-redis', atMs: atMs + random.whole(0, 20), forMs: 5, share: 0 },
    ],
  };
}

/** What the fault does, and the fault. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'a claim done before is looked for after the refusals': {
    planted: { script: new Set(['replay-after-refusals']) },
  },
  'a claim done before is not looked for': { planted: { script: new Set(['replay-ignored']) } },
  'the gate is ignored': { planted: { script: new Set(['gate-ignored']) } },
  'the deadline is not checked by the scripts': {
    schedule: () => LATE_ATTEMPT,
    planted: { script: new Set(['deadline-ignored']) },
  },
  'an event is lost': { planted: { script: new Set(['event-lost']) } },
  'an event tells a counter as it was before': { planted: { script: new Set(['counter-not-in-event']) } },
  'an entry is put back without its values': { planted: { script: new Set(['apply-without-values']) } },
  'the stock is not checked': { planted: { script: new Set(['stock-ignored']) } },
  'a batch that was given up is written wherever the cursor is': {
    schedule: lateBatches,
    planted: { archive: new Set(['cursor-not-fenced', 'log-not-unique']) },
    begin: patch(LeaseKeeper.prototype, 'renounce', () => undefined),
  },
  'the lease is kept after a batch without an answer': {
    schedule: lateBatches,
    planted: {},
    begin: patch(LeaseKeeper.prototype, 'renounce', () => undefined),
  },
  'an older lease still moves the cursor': {
    schedule: lateBatches,
    planted: { archive: new Set(['epoch-not-fenced']) },
  },
  'what is not archived is trimmed': {
    planted: {},
    begin: patch(TrimMargin.prototype, 'takeDue', function (this: { marks: { seq: number }[] }) {
      const last = this.marks.at(-1);
      return last === undefined ? undefined : last.seq + 2;
    }),
  },
  'a retry goes out under another id': { planted: { renamesRetries: true } },
  'replicas are not waited for': { planted: { process: { ignoresReplicas: true } } },
  'an expired reservation is committed without taking anything': {
    planted: {
      process: {
        transaction: onSteps(['committed'], (steps) =>
          steps.filter(
            (step) =>
              !(
                isOn(step, 'usage') ||
                isOn(step, 'account') ||
                (isOn(step, 'wallet') && steps.some(({ kind }) => kind === 'within'))
              ),
          ),
        ),
      },
    },
  },
  'a release gives back twice': {
    planted: {
      process: {
        transaction: onSteps(['released', 'lapsed'], (steps) => [
          ...steps,
          ...steps.filter((step) => step.kind === 'add' && isOn(step, 'usage')),
        ]),
      },
    },
  },
  'a return does not look whether it was done': {
    firstSeed: 280,
    planted: {
      process: {
        transaction: without(
          ['returned'],
          (step) => step.kind === 'replay' || (isChecked(step) && isField(step, 'h')),
        ),
      },
    },
  },
  'a hold does not look whether its coupons changed': {
    planted: {
      process: {
        transaction: without(
          ['reserved', 'used'],
          (step) => isChecked(step) && (isOn(step, 'wallet') || isOn(step, 'account')),
        ),
      },
    },
  },
  'a reservation lapses before its time': {
    planted: {
      process: {
        transaction: without(['lapsed', 'released'], (step) => step.kind === 'within' || step.kind === 'due'),
      },
    },
  },
  'claims that are to be sent again are forgotten': {
    planted: {},
    begin: patch(ClaimQueue.prototype, 'putBack', () => undefined),
  },
  'the cursor in memory runs ahead of the one that was written': {
    planted: {},
    begin: patch(
      LeaseKeeper.prototype,
      'advance',
      function (this: { lease: object | undefined }, seq: number, eventsTotal: number) {
        if (this.lease !== undefined) this.lease = { ...this.lease, seq: seq + 1, eventsTotal };
      },
    ),
  },
};
