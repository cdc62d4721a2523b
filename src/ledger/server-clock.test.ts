import { describe, expect, it } from 'vitest';
import { ServerClock } from './server-clock.ts';

const SENT_MS = 1_000_000;

describe('the server clock', () => {
  // LEDGER 3
  it('never tells deadlines later than they are, however slow an answer was', () => {
    const clock = new ServerClock();
    // The script ran as the call was sent; its answer took 60 ms.
    clock.learn(SENT_MS, SENT_MS, 60);
    expect(clock.leastOffsetMs).toBeLessThanOrEqual(0);
    clock.learn(SENT_MS + 159, SENT_MS + 100, 60);
    expect(clock.leastOffsetMs).toBeLessThanOrEqual(0);
  });

  it('keeps what a quick reply told when a slow one comes after it', () => {
    const clock = new ServerClock();
    clock.learn(SENT_MS + 500, SENT_MS, 1);
    clock.learn(SENT_MS + 2_600, SENT_MS + 100, 2_000);
    expect(clock.offsetMs).toBeCloseTo(500, -1);
    expect(clock.leastOffsetMs).toBeGreaterThan(490);
  });

  // F26
  it('follows a clock that was set', () => {
    const clock = new ServerClock();
    clock.learn(SENT_MS, SENT_MS, 1);
    clock.learn(SENT_MS - 3_600_000, SENT_MS, 1);
    expect(clock.offsetMs).toBeCloseTo(-3_600_000, -1);
  });
});
