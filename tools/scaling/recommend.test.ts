/** What one metric asks for, by the examples of the Kubernetes documentation. SPEC C7 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recommendByAverage, recommendByTotal } from './recommend.ts';

const pods = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

describe('an average over pods', () => {
  test.each([
    ['twice the target doubles the pods', 3, 200, 100, 6],
    ['half of the target halves them', 4, 50, 100, 2],
    ['a tenth above the target is near enough', 10, 110, 100, 10],
    ['a tenth below as well', 10, 90, 100, 10],
    ['a little more is not', 10, 111, 100, 12],
    ['what is left over needs a pod of its own', 5, 125, 100, 7],
    ['nothing used at all asks for none', 5, 0, 100, 0],
  ])('%s', (_what, replicas, value, target, wanted) => {
    const readings = { replicas, values: pods(replicas, value), unmeasured: 0 };
    expect(recommendByAverage(readings, target)).toBe(wanted);
  });

  test('pods that are not measured yet count as idle before more are added', () => {
    expect(recommendByAverage({ replicas: 6, values: pods(3, 300), unmeasured: 3 }, 100)).toBe(9);
    expect(recommendByAverage({ replicas: 6, values: pods(3, 200), unmeasured: 3 }, 100)).toBe(6);
  });

  test('and as full before some are taken away', () => {
    expect(recommendByAverage({ replicas: 4, values: pods(2, 20), unmeasured: 2 }, 100)).toBe(3);
  });

  test('nothing is asked for while nothing is measured, and never the other way round than the measured pods say', () => {
    expect(recommendByAverage({ replicas: 3, values: [], unmeasured: 3 }, 100)).toBe(3);
    expect(recommendByAverage({ replicas: 6, values: pods(3, 120), unmeasured: 3 }, 100)).toBe(6);
  });

  test('more use never asks for fewer pods', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0, max: 10, noNaN: true }),
        (values, more) => {
          const recommend = (used: number[]): number =>
            recommendByAverage({ replicas: used.length, values: used, unmeasured: 0 }, 1);
          const [least, most] = [recommend(values), recommend(values.map((value) => value + more))];
          expect(most).toBeGreaterThanOrEqual(least);
        },
      ),
    );
  });
});

describe('a total', () => {
  test.each([
    ['as many pods as the target goes into it', 3, 7.1, 0.7, 11],
    ['near enough to what there is changes nothing', 10, 7.5, 0.7, 10],
    ['one pod for what is small', 3, 0.1, 0.7, 1],
  ])('%s', (_what, replicas, total, target, wanted) => {
    expect(recommendByTotal(replicas, total, target)).toBe(wanted);
  });
});
