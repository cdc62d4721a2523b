import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as limits from './limits.ts';
import { RetryDelay } from './retry-delay.ts';

const HOUR_MS = 3_600_000;

describe('the pause after a failed call', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('grows while calls fail and is short again after one went well', () => {
    const delay = new RetryDelay();
    const resume = vi.fn();
    delay.begin(resume);
    vi.advanceTimersByTime(limits.RETRY_FIRST_MS);
    expect(resume).toHaveBeenCalledTimes(1);
    delay.begin(resume);
    vi.advanceTimersByTime(limits.RETRY_FIRST_MS);
    expect(delay.isPausing).toBe(true);
    vi.advanceTimersByTime(limits.RETRY_FIRST_MS);
    expect(delay.isPausing).toBe(false);
    delay.reset();
    delay.begin(resume);
    vi.advanceTimersByTime(limits.RETRY_FIRST_MS);
    expect(resume).toHaveBeenCalledTimes(3);
  });

  it('is no longer for a clock that was an hour ahead when it began (F26)', () => {
    const delay = new RetryDelay();
    const trueMs = Date.now();
    vi.setSystemTime(trueMs + HOUR_MS);
    delay.begin(() => undefined);
    vi.setSystemTime(trueMs);
    vi.advanceTimersByTime(limits.RETRY_FIRST_MS);
    expect(delay.isPausing).toBe(false);
  });
});
