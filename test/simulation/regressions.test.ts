/** Schedules that once broke a promise, as small as they could be made. Each names what was wrong. SPEC C3, C4 */
import { expect, it } from 'vitest';
import { LATE_ATTEMPT } from './schedule/late-attempt.ts';
import type { Schedule } from './schedule/plan.ts';
import { runSchedule } from './schedule/run-schedule.ts';

const CASES: readonly { readonly name: string; readonly schedule: Schedule }[] = [
  {
    // SPEC L2
    name: 'two ids of one request, the first of which was lost, are taken for two coupons',
    schedule: {
      seed: 4001838,
      settings: {
        appendFsync: 'always',
        hasReplica: true,
        durabilityFallback: 'degrade',
        serving: 2,
        trimMarginMs: 100000,
        quantity: 4,
        perUserLimit: 2,
        automaticUses: 2,
        couponLifeMs: 300,
        skewMs: -40,
      },
      operations: [
        {
          kind: 'claim',
          promotion: 'fast',
          user: 'cyd',
          request: 'r1',
          atMs: 193,
          process: 1,
          deadlineMs: 150,
          attempts: 1,
        },
        {
          kind: 'claim',
          promotion: 'durable',
          user: 'cyd',
          request: 'r1',
          atMs: 49,
          process: 0,
          deadlineMs: 150,
          attempts: 4,
        },
        {
          kind: 'claim',
          promotion: 'fast',
          user: 'ben',
          request: 'r4',
          atMs: 159,
          process: 0,
          deadlineMs: 400,
          attempts: 1,
        },
        {
          kind: 'hold',
          user: 'cyd',
          order: 'o2',
          request: 'r6',
          coupons: 2,
          holdMs: 40,
          atMs: 51,
          process: 0,
          deadlineMs: 150,
          attempts: 4,
        },
      ],
      faults: [
        { kind: 'call', process: 'archive', number: 0, call: 3, fate: 'drop-reply', forMs: 1 },
        { kind: 'freeze-replica', atMs: 104, forMs: 152 },
        { kind: 'promote-replica', atMs: 236, forMs: 5 },
        { kind: 'promote-replica', atMs: 34, forMs: 40 },
        { kind: 'crash', process: 'archive', number: 0, atMs: 135, forMs: 40 },
      ],
    },
  },
  {
    // F13, LEDGER 14, 15
    name: 'a refusal is decided on what a replica holds that has taken over and is not open yet',
    schedule: {
      seed: 5812,
      settings: {
        appendFsync: 'always',
        hasReplica: true,
        durabilityFallback: 'refuse',
        serving: 3,
        trimMarginMs: 0,
        quantity: 4,
        perUserLimit: 2,
        automaticUses: 1,
        couponLifeMs: 600,
        skewMs: 0,
      },
      operations: [
        {
          kind: 'hold',
          user: 'cyd',
          order: 'o2',
          request: 'r4',
          coupons: 2,
          holdMs: 40,
          atMs: 546,
          process: 1,
          deadlineMs: 60,
          attempts: 4,
        },
        {
          kind: 'claim',
          promotion: 'durable',
          user: 'ben',
          request: 'r5',
          atMs: 239,
          process: 1,
          deadlineMs: 20,
          attempts: 2,
        },
        {
          kind: 'claim',
          promotion: 'fast',
          user: 'cyd',
          request: 'r3',
          atMs: 444,
          process: 2,
          deadlineMs: 150,
          attempts: 1,
        },
        {
          kind: 'claim',
          promotion: 'durable',
          user: 'cyd',
          request: 'r7',
          atMs: 286,
          process: 0,
          deadlineMs: 20,
          attempts: 3,
        },
        {
          kind: 'claim',
          promotion: 'fast',
          user: 'ann',
          request: 'r12',
          atMs: 133,
          process: 1,
          deadlineMs: 400,
          attempts: 2,
        },
        { kind: 'sweep', atMs: 401, process: 1, deadlineMs: 20, attempts: 4 },
        {
          kind: 'hold',
          user: 'ann',
          order: 'o1',
          request: 'r23',
          coupons: 2,
          holdMs: 120,
          atMs: 45,
          process: 0,
          deadlineMs: 150,
          attempts: 3,
        },
      ],
      faults: [
        { kind: 'freeze-replica', atMs: 434, forMs: 146 },
        { kind: 'promote-replica', atMs: 560, forMs: 40 },
      ],
    },
  },
  {
    // F13, LEDGER 13
    name: 'a reservation that no replica has is answered with OK because it is read',
    schedule: {
      seed: 6094,
      settings: {
        appendFsync: 'always',
        hasReplica: true,
        durabilityFallback: 'refuse',
        serving: 2,
        trimMarginMs: 0,
        quantity: 5,
        perUserLimit: 3,
        automaticUses: 3,
        couponLifeMs: 3600000,
        skewMs: 40,
      },
      operations: [
        {
          kind: 'hold',
          user: 'ann',
          order: 'o2',
          request: 'r0',
          coupons: 0,
          holdMs: 400,
          atMs: 87,
          process: 0,
          deadlineMs: 150,
          attempts: 2,
        },
      ],
      faults: [
        { kind: 'freeze-replica', atMs: 73, forMs: 155 },
        { kind: 'promote-replica', atMs: 208, forMs: 5 },
        { kind: 'call', process: 'postgres', number: 0, call: 4, fate: 'crash-after', forMs: 330 },
      ],
    },
  },
  {
    // F6, F19, LEDGER 15, 19
    name: 'a batch nobody waits for any more is archived after Redis has lost it and opened without it',
    schedule: {
      seed: 900021,
      settings: {
        appendFsync: 'everysec',
        hasReplica: false,
        durabilityFallback: 'degrade',
        serving: 2,
        trimMarginMs: 100000,
        quantity: 50,
        perUserLimit: 50,
        automaticUses: 3,
        couponLifeMs: 600,
        skewMs: 0,
      },
      operations: [
        {
          kind: 'claim',
          promotion: 'fast',
          user: 'ann',
          request: 'r6',
          atMs: 444,
          process: 0,
          deadlineMs: 150,
          attempts: 4,
        },
      ],
      faults: [
        { kind: 'call', process: 'postgres', number: 0, call: 12, fate: 'late', forMs: 200 },
        { kind: 'restart-redis', atMs: 457, forMs: 5, share: 0 },
      ],
    },
  },
  {
    // F26, LEDGER 3
    name: 'a process that only hides coupons never learns that the clock of the server was set, and is late for ever',
    schedule: {
      seed: 6002867,
      settings: {
        appendFsync: 'everysec',
        hasReplica: false,
        durabilityFallback: 'refuse',
        serving: 2,
        trimMarginMs: 0,
        quantity: 4,
        perUserLimit: 2,
        automaticUses: 1,
        couponLifeMs: 300,
        skewMs: 0,
      },
      operations: [
        {
          kind: 'claim',
          promotion: 'fast',
          user: 'cyd',
          request: 'r2',
          atMs: 198,
          process: 1,
          deadlineMs: 20,
          attempts: 4,
        },
        { kind: 'hide', user: 'cyd', request: 'r8', atMs: 527, process: 1, deadlineMs: 60, attempts: 1 },
      ],
      faults: [{ kind: 'jump-clock', atMs: 526, byMs: 3600000 }],
    },
  },
  {
    // F4, F32, LEDGER 3, 14
    name: 'an attempt that was given up lands after the next one was refused',
    schedule: LATE_ATTEMPT,
  },
];

it.each(CASES)('it does not happen any more that $name', async ({ schedule }) => {
  expect((await runSchedule(schedule)).violation).toBeUndefined();
});
