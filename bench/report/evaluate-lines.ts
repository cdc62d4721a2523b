/** What the table says about evaluations, as lines of text. */
import type { EvaluateResult } from '../evaluate/evaluate-result.ts';
import { alignRows } from './align-rows.ts';
import { formatCount, formatMs } from './format.ts';

const us = (microseconds: number): string => microseconds.toFixed(microseconds < 100 ? 1 : 0);

/** Rows of the engines: title cells first. */
export function coreRows({ core }: EvaluateResult): string[][] {
  return [
    ['engine', 'idle promotions', 'lines', 'p50 µs', 'p99 µs', 'load ms'],
    ...core.map(({ engine, idle, lines, p50Us, p99Us, loadMs }) => [
      engine,
      formatCount(idle),
      String(lines),
      us(p50Us),
      us(p99Us),
      formatCount(loadMs),
    ]),
  ];
}

/** Rows of the combiner: title cells first. */
export function combineRows({ combine }: EvaluateResult): string[][] {
  return [
    ['usable coupons', 'per order', 'p50 µs', 'p99 µs', 'proven', 'applied'],
    ...combine.map(({ coupons, couponsPerOrder, p50Us, p99Us, provenShare, appliedPerOrder }) => [
      String(coupons),
      String(couponsPerOrder),
      us(p50Us),
      us(p99Us),
      `${Math.round(provenShare * 100)} %`,
      appliedPerOrder.toFixed(1),
    ]),
  ];
}

/** What light requests feel of others, in one sentence. */
export function besideLine({ beside }: EvaluateResult): string {
  const { lightPerSecond, heavyPerSecond, changes, errors } = beside;
  return (
    `light requests at ${formatCount(lightPerSecond)}/s: p99 ${formatMs(beside.aloneP99Us)} ms alone, ` +
    `${formatMs(beside.besideHeavyP99Us)} ms beside ${heavyPerSecond} heavy ones a second (their p99 ${formatMs(beside.heavyP99Us)} ms), ` +
    `${formatMs(beside.duringChangesP99Us)} ms during ${changes} changes of promotions; ${errors} errors`
  );
}

/** All of it; nothing when evaluations were not measured. */
export function evaluateLines(result: EvaluateResult | undefined): string[] {
  if (result === undefined) return [];
  return [
    `engine alone, all engines agreed on ${formatCount(result.answersCompared)} carts before; ours also combines, spreads and explains:`,
    ...alignRows(coreRows(result)),
    '',
    'best combination of coupons, carts of 20 lines:',
    ...alignRows(combineRows(result)),
    '',
    besideLine(result),
    '',
  ];
}
