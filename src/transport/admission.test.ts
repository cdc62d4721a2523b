// F29: work is bounded by what gets done, not by what comes.
import { expect, test } from 'vitest';
import { createMetrics } from '../telemetry/metrics.ts';
import { Admission } from './admission.ts';

function admissionOf(maxInFlight: number, targetLatencyMs: number) {
  const metrics = createMetrics({ version: 'test', node: 'test' });
  const admission = new Admission({ maxInFlight, targetLatencyMs }, metrics);
  admission.stop();
  let nowMs = performance.now();
  /** Offers calls and ends some in each of several tenths of a second. */
  const pass = (tenths: number, offered: number, ended: number) => {
    let underWay = metrics.serverInFlight.read();
    for (let tenth = 0; tenth < tenths; tenth += 1) {
      for (let call = 0; call < offered; call += 1) underWay += admission.enter() ? 1 : 0;
      for (let call = 0; call < ended && underWay > 0; call += 1) {
        admission.leave();
        underWay -= 1;
      }
      nowMs += 100;
      admission.adjust(nowMs);
    }
    return underWay;
  };
  return { admission, metrics, pass };
}

test('the configured bound holds, and each refusal is counted', () => {
  const { admission, metrics } = admissionOf(3, 0);
  expect([1, 2, 3, 4, 5].map(() => admission.enter())).toEqual([true, true, true, false, false]);
  admission.leave();
  expect(admission.enter()).toBe(true);
  expect(metrics.serverShed.value).toBe(2);
  expect(metrics.serverInFlight.read()).toBe(3);
});

test('under three times the load no more is taken on than is answered in the target time', () => {
  const { pass, metrics } = admissionOf(20_000, 400);
  // 10,000 calls a second are answered, 30,000 come: 4,000 can be answered within 400 ms.
  pass(50, 3_000, 1_000);
  const underWay = pass(1, 3_000, 1_000);
  expect(underWay).toBeGreaterThan(3_000);
  expect(underWay).toBeLessThan(6_000);
  expect(metrics.serverShed.value).toBeGreaterThan(50_000);
});

test('load that is answered is never refused, and the bound comes back after a storm', () => {
  const { pass, metrics } = admissionOf(20_000, 400);
  pass(50, 1_000, 1_000);
  expect(metrics.serverShed.value).toBe(0);
  pass(20, 3_000, 1_000);
  pass(40, 0, 1_000);
  expect(metrics.serverInFlightLimit.read()).toBe(20_000);
});

test('a few slow calls turn nobody away', () => {
  const { pass, metrics } = admissionOf(20_000, 400);
  pass(50, 5, 0);
  expect(metrics.serverShed.value).toBe(0);
});
