/** The checker finds what is planted, and names it. Each breach stands alone in a run that is clean otherwise. */
import { describe, expect, it } from 'vitest';
import { type CheckOptions, checkHistory } from './check-history.ts';
import type { HistoryRecord } from './history.ts';
import { reportOf, reportText } from './report.ts';
import { begun, claimed } from './sample/planted.ts';
import { PLANTED_ANSWERS } from './sample/planted-answers.ts';
import { PLANTED_ORDERS } from './sample/planted-orders.ts';
import { PLANTED_STOCK } from './sample/planted-stock.ts';
import { type Choice, PaperRun, type SampleRun } from './sample/sample-run.ts';
import type { LedgerState, PartitionState, RedisState } from './state/ledger-state.ts';
import { PROMISES, type PromiseName } from './violation.ts';

const USERS = 5;

/** A run in which much has happened already: every act, twice over, with every fate. */
function busyRun(partitions: number): PaperRun {
  const run = new PaperRun(partitions);
  const choices = Array.from(
    { length: 84 },
    (_, index): Choice => ({ act: index * 5, user: index % USERS, what: index * 7 + 1, fate: index }),
  );
  for (const choice of choices) run.step(choice);
  run.product.nowMs += 1_000;
  return run;
}

function check({ history, state }: SampleRun, options: CheckOptions = {}) {
  const findings = checkHistory(history, state, { clockSlackMs: 0, ...options });
  return { findings, report: reportOf(findings, history, state) };
}

function expectNamed(run: SampleRun, kind: string, promise: PromiseName): void {
  const { findings, report } = check(run);
  expect([...findings.totals.keys()]).toContain(kind);
  const violation = report.violations.find((one) => one.kind === kind);
  expect(violation?.promise).toBe(promise);
  expect(reportText(report)).toContain(`${promise} ${kind}: `);
}

it('has nothing to say of a clean run', () => {
  for (const partitions of [1, 2]) {
    const { report } = check(busyRun(partitions).finish());
    expect(reportText(report)).toContain('every promise was kept');
    expect(report.first).toBeUndefined();
  }
});

describe('breaches by the ledger (SPEC C3, L5; LEDGER 2, 10, 24)', () => {
  it.each([...PLANTED_STOCK, ...PLANTED_ORDERS])(
    '$promise $kind',
    ({ kind, promise, partitions = 1, plant }) => {
      const run = kind.startsWith('lease') || partitions > 1 ? busyRun(partitions) : new PaperRun(1);
      plant(run);
      expectNamed(run.finish(), kind, promise);
    },
  );
});

describe('breaches in answers (SPEC L5; LEDGER 14; F32)', () => {
  it.each(PLANTED_ANSWERS)('$promise $kind', ({ kind, promise, plant }) => {
    const run = new PaperRun(1);
    plant(run);
    expectNamed(run.finish(), kind, promise);
  });
});

type StateChange = (state: LedgerState, partition: PartitionState, redis: RedisState) => LedgerState;

/** The state with other things in its first partition. */
function withPartition(state: LedgerState, changes: Partial<PartitionState>): LedgerState {
  const [first, ...rest] = state.logs;
  return first === undefined ? state : { ...state, logs: [{ ...first, ...changes }, ...rest] };
}

function withRedis(state: LedgerState, redis: RedisState, changes: Partial<RedisState>): LedgerState {
  return withPartition(state, { redis: { ...redis, ...changes } });
}

/** One field of one record of a wallet, another value. */
function touched(records: PartitionState['archived']): PartitionState['archived'] {
  const [name, image] = [...records].find(([record]) => record.startsWith('wallet:')) ?? [
    '',
    new Map<string, string>(),
  ];
  const [field = ''] = [...image.keys()];
  return new Map([...records, [name, new Map([...image, [field, 'other bytes']])]]);
}

const WRONG_STATES: readonly (readonly [string, PromiseName, StateChange])[] = [
  [
    'redis-differs',
    'I6',
    (state, _partition, redis) => withRedis(state, redis, { records: touched(redis.records) }),
  ],
  [
    'postgres-differs',
    'I6',
    (state, partition) => withPartition(state, { archived: touched(partition.archived) }),
  ],
  [
    'coupon-row',
    'I6',
    (state) => ({ ...state, coupons: state.coupons.map((row) => ({ ...row, state: 'revoked' })) }),
  ],
  ['order-row', 'I6', (state) => ({ ...state, redemptions: state.redemptions.slice(1) })],
  ['points-row', 'I6', (state) => ({ ...state, points: state.points.slice(1) })],
  ['log-gap', 'I7', (state, { log }) => withPartition(state, { log: log.filter(({ seq }) => seq !== 3) })],
  ['log-start', 'I7', (state, { log }) => withPartition(state, { log: log.slice(2) })],
  [
    'events-total',
    'I7',
    (state, { log }) =>
      withPartition(state, {
        log: log.map((entry) =>
          entry.seq === 5 ? { ...entry, payload: log[4]?.payload ?? entry.payload } : entry,
        ),
      }),
  ],
  [
    'log-corrupt',
    'I7',
    (state, { log }) =>
      withPartition(state, {
        log: log.map((entry) => (entry.seq === 5 ? { ...entry, payload: Buffer.from('no entry') } : entry)),
      }),
  ],
  [
    'fork',
    'I7',
    (state, _partition, redis) =>
      withRedis(state, redis, {
        stream: redis.stream.map((entry, index) =>
          index === 1 ? { ...entry, payload: Buffer.concat([entry.payload, Buffer.of(1)]) } : entry,
        ),
      }),
  ],
  [
    'stream-gap',
    'I7',
    (state, _partition, redis) =>
      withRedis(state, redis, { stream: redis.stream.filter((_, index) => index !== 1) }),
  ],
  [
    'redis-behind',
    'I7',
    (state, _partition, redis) => withRedis(state, redis, { stream: redis.stream.slice(0, -1) }),
  ],
  [
    'cursor-apart',
    'I7',
    (state, { cursor }) => withPartition(state, { cursor: cursor && { ...cursor, seq: cursor.seq - 1 } }),
  ],
  [
    'cursor-bytes',
    'I7',
    (state, { cursor }) => withPartition(state, { cursor: cursor && { ...cursor, payload: Buffer.of(1) } }),
  ],
  ['trimmed-early', 'I8', (state, _partition, redis) => withRedis(state, redis, { stream: [] })],
  ['closed', 'I16', (state, _partition, redis) => withRedis(state, redis, { isOpen: false })],
  [
    'not-archived',
    'I16',
    (state, { log }) =>
      withPartition(state, {
        log: log.slice(0, -1),
        cursor: { ...cursorAt(log.length - 2), payload: undefined },
      }),
  ],
  ['quarantine', 'I16', (state) => withPartition(state, { quarantined: 2 })],
  ['partition-missing', 'I16', (state) => ({ ...state, partitions: 2 })],
  [
    'event-overdue',
    'I16',
    (state) => ({
      ...state,
      inbox: state.inbox.map((row) => ({ ...row, state: 'failed', isOverdue: true })),
    }),
  ],
  [
    'delivery-overdue',
    'I16',
    (state) => ({ ...state, promotions: state.promotions.map((row) => ({ ...row, isPending: true })) }),
  ],
];

function cursorAt(seq: number) {
  return { seq, eventsTotal: seq + 1, epoch: 3, payload: undefined };
}

describe('breaches in the stores (SPEC C4; LEDGER 6, 16, 22)', () => {
  it.each(WRONG_STATES)('%s', (kind, promise, change) => {
    const { history, state } = busyRun(1).finish();
    const [partition] = state.logs;
    if (partition?.redis === undefined) throw new Error('the sample has one partition in Redis');
    expectNamed({ history, state: change(state, partition, partition.redis) }, kind, promise);
  });
});

describe('breaches by archivers (I11; LEDGER 19; F20)', () => {
  const look = (at: number, seq: number, epoch: number, owner: string): HistoryRecord => {
    return { kind: 'cursor', at, generation: 1, partition: 0, seq, epoch, owner };
  };

  it.each([
    ['cursor-back', [look(1, 5, 1, 'a'), look(2, 4, 1, 'a')]],
    ['epoch-back', [look(1, 3, 2, 'a'), look(2, 4, 1, 'b')]],
    ['two-owners', [look(1, 3, 2, 'a'), look(2, 4, 2, 'b')]],
    ['cursor-back', [look(1, 100_000, 2, 'a')]],
  ])('%s', (kind, looks) => {
    const { history, state } = busyRun(1).finish();
    expectNamed({ history: [...history, ...looks], state }, kind, 'I11');
  });

  it('lets a cursor go back after Postgres was set back on purpose (F35)', () => {
    const { history, state } = busyRun(1).finish();
    const looks = [look(1, 5, 1, 'a'), look(2, 4, 1, 'a')];
    const { report } = check({ history: [...history, ...looks], state }, { wasPostgresSetBack: true });
    expect(report.holds).toBe(true);
  });
});

describe('what a run may do to its promises', () => {
  it('counts a FAST claim that a crash took, and forgives it where that may be (F6, F13)', () => {
    const run = new PaperRun(1);
    const answer = { couponId: '0'.repeat(44), promotionId: 'p1', acknowledgement: 'fast' } as const;
    run.tell({
      operation: 'claim',
      requestId: 'c',
      arguments: { userId: 'ann', promotionId: 'p1' },
      carryOut: () => ({ answer }),
    });
    const sample = run.finish();
    expect([...check(sample).findings.totals.keys()]).toEqual(['lost-claim']);
    const { findings, report } = check(sample, { mayLoseFast: true });
    expect(report.holds).toBe(true);
    expect(findings.looked.get('lost at FAST')).toBe(1);
  });

  it('does not hold others to a history that tells of some clients only', () => {
    const run = new PaperRun(1);
    run.product.issue('claim', 'ann', 'p2', 'nobody');
    expect(check(run.finish(), { isEveryClientTold: false }).report.holds).toBe(true);
  });
});

describe('the report', () => {
  it('shows the first violation with its events and its attempts', () => {
    const run = new PaperRun(1);
    const couponId = claimed(run, 'ann', 'p2', 'c1');
    begun(run, 'use', { userId: 'ann', orderId: 'o1' }, [couponId], 'b1');
    const { history, state } = run.finish();
    const refused = history.map((record): HistoryRecord => {
      if (record.kind !== 'ok' || record.operation !== 'claim') return record;
      const { at, id, client, operation, requestId } = record;
      return {
        kind: 'refused',
        at,
        id,
        client,
        operation,
        requestId,
        reason: 'SOLD_OUT',
        code: 'FAILED_PRECONDITION',
      };
    });
    const { report } = check({ history: refused, state });
    expect(report.first).toMatchObject({ promise: 'I12', kind: 'refused-but-done' });
    expect(report.first?.history.map(({ kind }) => kind)).toEqual(['invoke', 'refused']);
    expect(report.first?.events[0]).toMatch(/^p0 \d+:0 claimed .* wallet:ann /);
    expect(reportText(report)).toContain(PROMISES.I12);
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({
      holds: false,
      totals: { 'refused-but-done': 1 },
    });
  });
});

it('plants a breach of every promise', () => {
  const planted = [...PLANTED_STOCK, ...PLANTED_ORDERS, ...PLANTED_ANSWERS].map(({ promise }) => promise);
  const promises = new Set<string>([...planted, ...WRONG_STATES.map(([, promise]) => promise), 'I11']);
  expect([...promises].toSorted()).toEqual(Object.keys(PROMISES).toSorted());
});
