/** From recommendations to pods, by the examples and defaults of the Kubernetes documentation. SPEC C7 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Autoscaler, type ReplicaLimits, SYNC_SECONDS } from './autoscaler.ts';
import type { ScalingPolicy } from './scaling-rules.ts';

const percent = (value: number, periodSeconds: number): ScalingPolicy => ({
  type: 'Percent',
  value,
  periodSeconds,
});
const podsOf = (value: number, periodSeconds: number): ScalingPolicy => ({
  type: 'Pods',
  value,
  periodSeconds,
});
/** What Kubernetes does when nothing is said. */
const DEFAULTS: ReplicaLimits = {
  minReplicas: 1,
  maxReplicas: 1_000,
  scaleUp: { stabilizationSeconds: 0, selectPolicy: 'Max', policies: [percent(100, 15), podsOf(4, 15)] },
  scaleDown: { stabilizationSeconds: 300, selectPolicy: 'Max', policies: [percent(100, 15)] },
};

/** The numbers of pods over several looks at the same wish. */
function follow(
  limits: ReplicaLimits,
  first: number,
  wanted: number,
  looks: number,
  everySeconds: number,
): number[] {
  const autoscaler = new Autoscaler(limits);
  const seen = [first];
  for (let look = 0; look < looks; look += 1)
    seen.push(autoscaler.decide(look * everySeconds, seen.at(-1) ?? first, [wanted]));
  return seen;
}

describe('policies', () => {
  test('up by default: double, or four pods, whichever is more', () => {
    expect(follow(DEFAULTS, 1, 100, 6, 15)).toEqual([1, 5, 10, 20, 40, 80, 100]);
  });

  test('down from 80 to 10 by a tenth or four pods a minute: 8, 8, … and 4 at a time below 40', () => {
    const scaleDown = {
      stabilizationSeconds: 0,
      selectPolicy: 'Max' as const,
      policies: [podsOf(4, 60), percent(10, 60)],
    };
    const seen = follow({ ...DEFAULTS, scaleDown }, 80, 10, 20, 60);
    expect(seen.slice(0, 4)).toEqual([80, 72, 64, 57]);
    const slow = seen.slice(seen.findIndex((pods) => pods <= 40));
    expect(slow.slice(0, 5)).toEqual([slow[0], ...[1, 2, 3, 4].map((step) => (slow[0] ?? 0) - 4 * step)]);
    expect(seen.at(-1)).toBe(10);
  });

  test('the most careful one when it is asked for, and none at all when a direction is switched off', () => {
    const careful = { ...DEFAULTS, scaleUp: { ...DEFAULTS.scaleUp, selectPolicy: 'Min' as const } };
    expect(follow(careful, 10, 100, 2, 15)).toEqual([10, 14, 18]);
    const off = { ...DEFAULTS, scaleUp: { ...DEFAULTS.scaleUp, selectPolicy: 'Disabled' as const } };
    expect(follow(off, 10, 100, 2, 15)).toEqual([10, 10, 10]);
  });

  test('what was added within the period counts against it', () => {
    const scaleUp = { ...DEFAULTS.scaleUp, policies: [podsOf(4, 60)] };
    expect(follow({ ...DEFAULTS, scaleUp }, 10, 100, 5, 15)).toEqual([10, 14, 14, 14, 14, 18]);
  });
});

describe('stabilisation', () => {
  test('pods go only when they were too many all the time in the window', () => {
    const seen = follow(DEFAULTS, 10, 2, 25, 15);
    expect(seen.indexOf(2) * 15).toBeGreaterThanOrEqual(300);
    expect(seen.at(-1)).toBe(2);
  });

  test('a peak in between starts the window anew', () => {
    const autoscaler = new Autoscaler(DEFAULTS);
    const decide = (now: number, wanted: number): number => autoscaler.decide(now, 10, [wanted]);
    expect(decide(0, 2)).toBe(10);
    expect(decide(200, 9)).toBe(10);
    expect(decide(310, 2)).toBe(9);
  });

  test('a window on the way up lets a short peak pass', () => {
    const scaleUp = { ...DEFAULTS.scaleUp, stabilizationSeconds: 60 };
    const autoscaler = new Autoscaler({ ...DEFAULTS, scaleUp });
    expect([10, 40, 40, 10].map((wanted, look) => autoscaler.decide(look * 15, 10, [wanted]))).toEqual([
      10, 10, 10, 10,
    ]);
  });
});

test('of several metrics the one that asks for most decides', () => {
  expect(new Autoscaler(DEFAULTS).decide(0, 10, [4, 13, 7])).toBe(13);
});

const behaviour = fc.record({
  stabilizationSeconds: fc.integer({ min: 0, max: 600 }),
  selectPolicy: fc.constantFrom('Max' as const, 'Min' as const, 'Disabled' as const),
  policies: fc.array(
    fc.record({
      type: fc.constantFrom('Pods' as const, 'Percent' as const),
      value: fc.integer({ min: 1, max: 200 }),
      periodSeconds: fc.integer({ min: 1, max: 600 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});
const limits = fc.record({
  minReplicas: fc.integer({ min: 1, max: 10 }),
  maxReplicas: fc.integer({ min: 10, max: 100 }),
  scaleUp: behaviour,
  scaleDown: behaviour,
});
const wishes = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 60 });

function run(rules: ReplicaLimits, wanted: readonly number[]): number[] {
  const autoscaler = new Autoscaler(rules);
  const seen = [rules.minReplicas];
  for (const [look, wish] of wanted.entries())
    seen.push(autoscaler.decide(look * SYNC_SECONDS, seen.at(-1) ?? 0, [wish]));
  return seen;
}

test('never beyond the bounds, and never away from what is wished for', () => {
  fc.assert(
    fc.property(limits, wishes, (rules, wanted) => {
      const seen = run(rules, wanted);
      for (const pods of seen) {
        expect(pods).toBeGreaterThanOrEqual(rules.minReplicas);
        expect(pods).toBeLessThanOrEqual(rules.maxReplicas);
      }
      for (const [look, wish] of wanted.entries()) {
        const [before = 0, after = 0] = seen.slice(look);
        if (after > before) expect(wish).toBeGreaterThanOrEqual(after);
        if (after < before) expect(wish).toBeLessThanOrEqual(Math.max(after, rules.minReplicas));
      }
    }),
  );
});

test('a steady wish is approached without a step back, and reached where both directions are allowed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: 1_000 }), (first, wanted) => {
      const seen = follow(DEFAULTS, first, wanted, 60, SYNC_SECONDS);
      const sorted = seen.toSorted((a, b) => (first < wanted ? a - b : b - a));
      expect(seen).toEqual(sorted);
      expect(seen.at(-1)).toBe(wanted);
    }),
  );
});
