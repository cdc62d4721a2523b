import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal } from '../domain/refusal.ts';
import { DeadlineWatch } from './deadline-watch.ts';
import { TurnReads } from './turn-reads.ts';

const NOW_MS = 1_000_000;

interface Ask {
  readonly userId: string;
  readonly what: string;
}

interface Call {
  readonly asks: readonly Ask[];
  readonly deadlineMs: number;
  readonly answer: PromiseWithResolvers<readonly string[]>;
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS, toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Reads whose round trips the test answers. */
function gathered() {
  const calls: Call[] = [];
  const reads = new TurnReads<Ask, string>({
    readAll: (asks, deadlineMs) => {
      const answer = Promise.withResolvers<readonly string[]>();
      calls.push({ asks, deadlineMs, answer });
      return answer.promise;
    },
    together: (one, other) => ({ ...one, what: one.what + other.what }),
    deadlines: new DeadlineWatch(() => Date.now()),
  });
  /** Asks, and gives the list that what is heard goes to. */
  const ask = (userId: string, afterMs: number, what = ''): (string | undefined)[] => {
    const heard: (string | undefined)[] = [];
    reads.read({ userId, what }, NOW_MS + afterMs, (value) =>
      heard.push(value instanceof Refusal ? value.reason : value),
    );
    return heard;
  };
  return { calls, ask };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('reads of one turn', () => {
  it('travel together, in the order asked, a user once', async () => {
    const { calls, ask } = gathered();
    const heard = [ask('ann', 100, 'a'), ask('bob', 100, 'b'), ask('ann', 100, 'c')];
    await turn();
    expect(calls.map(({ asks }) => asks)).toEqual([
      [
        { userId: 'ann', what: 'ac' },
        { userId: 'bob', what: 'b' },
      ],
    ]);
    calls[0]?.answer.resolve(['of ann', 'of bob']);
    await turn();
    expect(heard).toEqual([['of ann'], ['of bob'], ['of ann']]);
  });

  it('fail each of those who asked when the round trip fails', async () => {
    const { calls, ask } = gathered();
    const heard = [ask('ann', 100), ask('bob', 100)];
    await turn();
    calls[0]?.answer.reject(new Refusal('LEDGER_UNAVAILABLE', 'gone'));
    await turn();
    expect(heard).toEqual([['LEDGER_UNAVAILABLE'], ['LEDGER_UNAVAILABLE']]);
  });
});

describe('deadlines', () => {
  it('are each one’s own: who has less time fails alone, the others hear what was read', async () => {
    const { calls, ask } = gathered();
    const heard = [ask('ann', 10), ask('bob', 500), ask('ann', 500)];
    await turn();
    expect(calls[0]?.deadlineMs).toBe(NOW_MS + 500);
    vi.advanceTimersByTime(10);
    expect(heard).toEqual([['DEADLINE_EXCEEDED'], [], []]);
    calls[0]?.answer.resolve(['of ann', 'of bob']);
    await turn();
    vi.advanceTimersByTime(1000);
    expect(heard).toEqual([['DEADLINE_EXCEEDED'], ['of bob'], ['of ann']]);
  });
});
