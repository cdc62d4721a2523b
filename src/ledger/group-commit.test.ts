import { describe, expect, it } from 'vitest';
import { createMetrics } from '../telemetry/metrics.ts';
import { REPLY_HEAD, REPLY_STRIDE } from './claim-operation.ts';
import { GroupCommit, type GroupCommitPorts } from './group-commit.ts';
import { partitionKeys } from './keys.ts';
import { ScriptFailure } from './script-runner.ts';
import { ServerClock } from './server-clock.ts';

/** A script that answers the given outcome for every claim of a batch. */
function replyOf(claims: number, outcome: number): Buffer {
  const reply = Buffer.alloc(REPLY_HEAD + claims * REPLY_STRIDE, 0);
  reply.write('O');
  for (let index = 0; index < claims; index += 1) reply[REPLY_HEAD + index * REPLY_STRIDE] = outcome;
  return reply;
}

const CLAIM_BYTES = 27;
const claimsIn = (args: readonly (string | Buffer)[]): number => (args[5]?.length ?? 0) / CLAIM_BYTES;
/** The promotion of each claim of a batch: the keys after stream and meta are promotions, claims name them from 1. */
function promotionsIn(keys: readonly string[], args: readonly (string | Buffer)[]): string[] {
  const packed = args[5];
  if (!Buffer.isBuffer(packed)) return [];
  return Array.from(
    { length: claimsIn(args) },
    (_, index) => keys[1 + (packed[index * CLAIM_BYTES] ?? 0)] ?? '',
  );
}

function groupCommit(overrides: Partial<GroupCommitPorts>): GroupCommit {
  return new GroupCommit({
    keys: partitionKeys(0),
    queueLimit: 100_000,
    metrics: createMetrics({ version: 'test', node: 'test' }),
    runClaims: async (_keys, args) => replyOf(claimsIn(args), 1),
    settings: () => ({ backlogLimitEvents: 1_000, durability: 'honest' }),
    clock: new ServerClock(),
    attemptMs: 5_000,
    defineMissing: async () => false,
    archived: async () => 'archived',
    reportBroken: () => undefined,
    nowMs: () => 1_000,
    ...overrides,
  });
}

function submit(commit: GroupCommit, promotionRef: number, deadlineMs = 10_000): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  commit.submit({
    promotionRef,
    userId: 'user',
    fieldHex: '00'.repeat(16),
    deadlineMs,
    facts: undefined,
    listener: { claimed: () => resolve('claimed'), refused: ({ reason }) => resolve(reason) },
  });
  return promise;
}

describe('group commit', () => {
  it('sends claims that arrive together as one call', async () => {
    const batches: number[] = [];
    const commit = groupCommit({
      runClaims: async (_keys, args) => {
        batches.push(claimsIn(args));
        return replyOf(claimsIn(args), 1);
      },
    });
    await Promise.all(Array.from({ length: 40 }, () => submit(commit, 1)));
    expect(batches).toEqual([40]);
  });

  it('does not wait for an attempt from before a clock was set back, once its claim has its answer (F26)', async () => {
    let nowMs = 3_600_000;
    let calls = 0;
    const commit = groupCommit({
      nowMs: () => nowMs,
      runClaims: async (_keys, args) => {
        calls += 1;
        if (calls === 1) throw new ScriptFailure('unreachable', 'no reply');
        return replyOf(claimsIn(args), 4);
      },
    });
    const answer = submit(commit, 1, nowMs + 10_000);
    await expect.poll(() => calls).toBe(2);
    const drained = commit.drain();
    nowMs += 11_000;
    expect(await answer).toBe('LEDGER_UNAVAILABLE');
    await drained;
  });

  it('bounds a call by its cost (LEDGER 12)', async () => {
    const batches: number[] = [];
    const commit = groupCommit({
      runClaims: async (_keys, args) => {
        batches.push(claimsIn(args));
        return replyOf(claimsIn(args), 1);
      },
    });
    await Promise.all(Array.from({ length: 600 }, () => submit(commit, 1)));
    expect(Math.max(...batches)).toBe(250);
    expect(batches.reduce((sum, size) => sum + size)).toBe(600);
  });

  it('takes promotions in turn, so that a flash sale starves nobody (LEDGER 12)', async () => {
    let first: string[] | undefined;
    const commit = groupCommit({
      runClaims: async (keys, args) => {
        first ??= promotionsIn(keys, args);
        return replyOf(claimsIn(args), 1);
      },
    });
    const hot = Array.from({ length: 5_000 }, () => submit(commit, 1));
    const quiet = Array.from({ length: 5 }, () => submit(commit, 2));
    await Promise.all([...hot, ...quiet]);
    expect(first?.filter((key) => key.endsWith(':2'))).toHaveLength(5);
  });

  it('drops a claim that is late before it is sent', async () => {
    let sent = 0;
    const commit = groupCommit({
      runClaims: async (_keys, args) => {
        sent += claimsIn(args);
        return replyOf(claimsIn(args), 1);
      },
    });
    expect(await submit(commit, 1, 999)).toBe('DEADLINE_EXCEEDED');
    expect(sent).toBe(0);
  });

  it('tries again after a failure of the store, until the deadline', async () => {
    let calls = 0;
    const commit = groupCommit({
      nowMs: () => Date.now(),
      runClaims: async (_keys, args) => {
        calls += 1;
        if (calls < 3) throw new ScriptFailure('unreachable', 'Connection is closed.');
        return replyOf(claimsIn(args), 1);
      },
    });
    expect(await submit(commit, 1, Number.MAX_SAFE_INTEGER)).toBe('claimed');
    expect(calls).toBe(3);
  });

  it('says what stood in the way when the deadline passes', async () => {
    let nowMs = 1_000;
    const commit = groupCommit({
      nowMs: () => nowMs,
      runClaims: async () => {
        nowMs = 20_000;
        return Buffer.from('C');
      },
    });
    expect(await submit(commit, 1, 10_000)).toBe('LEDGER_CLOSED');
  });

  it('answers a claim whose call hangs by its deadline, once', async () => {
    let nowMs = 1_000;
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    const commit = groupCommit({ nowMs: () => nowMs, runClaims: () => promise });
    const answer = submit(commit, 1, 10_000);
    setTimeout(() => {
      nowMs = 10_001;
    }, 20);
    expect(await answer).toBe('DEADLINE_EXCEEDED');
    resolve(replyOf(1, 1));
    await commit.drain();
  });

  it('runs a failed batch claim by claim: the broken one alone is refused, and reported (LEDGER 1)', async () => {
    const reported: number[] = [];
    const commit = groupCommit({
      reportBroken: (ref) => reported.push(ref),
      runClaims: async (keys, args) => {
        if (promotionsIn(keys, args).some((key) => key.endsWith(':3')))
          throw new ScriptFailure('script', 'ERR broken');
        return replyOf(claimsIn(args), 1);
      },
    });
    const answers = await Promise.all([1, 2, 3, 4].map((ref) => submit(commit, ref)));
    expect(answers).toEqual(['claimed', 'claimed', 'INTERNAL', 'claimed']);
    expect(reported).toEqual([3]);
  });

  it('turns claims away when too many wait', async () => {
    const commit = groupCommit({ queueLimit: 1 });
    const answers = await Promise.all([submit(commit, 1), submit(commit, 1)]);
    expect(answers).toEqual(['claimed', 'LEDGER_OVERLOADED']);
  });

  it('is not drained while a definition is fetched, and keeps the deadline of who waits for it', async () => {
    let nowMs = 1_000;
    const commit = groupCommit({
      nowMs: () => nowMs,
      runClaims: async (_keys, args) => replyOf(claimsIn(args), 16),
      defineMissing: () => new Promise(() => undefined),
    });
    let isDrained = false;
    const answer = submit(commit, 1, 10_000);
    void commit.drain().then(() => {
      isDrained = true;
    });
    setTimeout(() => {
      nowMs = 10_001;
    }, 20);
    expect(await answer).toBe('DEADLINE_EXCEEDED');
    expect(isDrained).toBe(false);
  });

  it('is drained when every claim has its answer', async () => {
    const commit = groupCommit({});
    const answers: string[] = [];
    for (let index = 0; index < 10; index += 1) void submit(commit, 1).then((answer) => answers.push(answer));
    await commit.drain();
    await Promise.resolve();
    expect(answers).toHaveLength(10);
  });
});
