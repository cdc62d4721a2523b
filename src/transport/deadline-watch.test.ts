import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DeadlineWatch, type Expiring, NOT_WATCHED } from './deadline-watch.ts';

let watch: DeadlineWatch;
let expired: string[];

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  watch = new DeadlineWatch(() => Date.now());
  expired = [];
});
afterEach(() => vi.useRealTimers());

function watched(name: string, deadlineMs: number, onExpire = (): void => undefined): Expiring {
  const one = {
    deadlineMs,
    watchedAt: NOT_WATCHED,
    expire: () => {
      expired.push(name);
      onExpire();
    },
  };
  watch.watch(one);
  return one;
}

test('each ends at its own deadline, and once', () => {
  watched('late', 300);
  watched('soon', 100);
  watched('between', 200);
  vi.advanceTimersByTime(99);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(expired).toEqual(['soon']);
  vi.advanceTimersByTime(1_000);
  expect(expired).toEqual(['soon', 'between', 'late']);
});

test('what is forgotten does not end, in whatever order it came and went', () => {
  const all = Array.from({ length: 9 }, (_, index) => watched(String(index), 100 + index));
  for (const index of [4, 0, 8, 8, 2]) {
    const one = all[index];
    if (one !== undefined) watch.forget(one);
  }
  vi.advanceTimersByTime(1_000);
  expect(expired).toEqual(['1', '3', '5', '6', '7']);
});

test('one that ends may forget others and have new ones watched', () => {
  const other = watched('other', 150);
  watched('first', 100, () => {
    watch.forget(other);
    watched('new', 120);
  });
  vi.advanceTimersByTime(1_000);
  expect(expired).toEqual(['first', 'new']);
});
