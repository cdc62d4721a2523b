import type { Schedule } from './plan.ts';

/**
 * The first attempt of a claim is on its way for a third of a second; the next one finds nothing left; then stock is added, and the
 * first one arrives within the deadline of the call.
 */
export const LATE_ATTEMPT: Schedule = {
  seed: 2005115,
  settings: {
    appendFsync: 'always',
    hasReplica: false,
    durabilityFallback: 'refuse',
    serving: 3,
    trimMarginMs: 100000,
    quantity: 1,
    perUserLimit: 2,
    automaticUses: 1,
    couponLifeMs: 600,
    skewMs: -40,
  },
  operations: [
    {
      kind: 'change',
      promotion: 'fast',
      state: 'active',
      quantity: 3,
      atMs: 205,
      process: 1,
      deadlineMs: 20,
      attempts: 3,
    },
    {
      kind: 'claim',
      promotion: 'fast',
      user: 'ann',
      request: 'r6',
      atMs: 0,
      process: 2,
      deadlineMs: 150,
      attempts: 4,
    },
    {
      kind: 'claim',
      promotion: 'fast',
      user: 'ann',
      request: 'r7',
      atMs: 2,
      process: 1,
      deadlineMs: 400,
      attempts: 4,
    },
    {
      kind: 'grant',
      promotion: 'durable',
      user: 'cyd',
      request: 'r14',
      atMs: 1,
      process: 1,
      deadlineMs: 60,
      attempts: 4,
    },
  ],
  faults: [{ kind: 'call', process: 'serve', number: 1, call: 7, fate: 'late', forMs: 330 }],
};
