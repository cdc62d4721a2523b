/** What clients saw during a step of a rolling restart. */
import { attemptsOf, type Call, callsOf, type TriedAttempt } from '../../chaos/history/calls.ts';
import type { HistoryRecord } from '../../chaos/history/history.ts';

/** The calls that began in a stretch of time. */
export interface SeenCalls {
  readonly calls: number;
  /** Whose outcome the client did not learn, however often it asked. */
  readonly failed: number;
  /** Attempts that had to be made again. */
  readonly askedAgain: number;
  /** Of single attempts, ms. */
  readonly p99Ms: number;
  readonly slowestMs: number;
  /** What took longest. */
  readonly slowest: string;
}

const P99 = 0.99;

/** Counts calls by the moment of their first attempt. Times in ms since the epoch; the end is left out. */
export function callsBetween(history: readonly HistoryRecord[], fromMs: number, toMs: number): SeenCalls {
  const isInside = (at: number | undefined): boolean => at !== undefined && at >= fromMs && at < toMs;
  const calls = callsOf(history).filter(({ attempts }) => isInside(attempts[0]?.invoke.at));
  const attempts = attemptsOf(history).filter(({ invoke }) => isInside(invoke.at));
  const byTime = attempts.toSorted((left, right) => tookMs(left) - tookMs(right));
  const slowest = byTime.at(-1);
  return {
    calls: calls.length,
    failed: calls.filter(isUnanswered).length,
    askedAgain: attempts.filter(({ invoke }) => invoke.repeat === 'retry').length,
    p99Ms: tookMs(byTime[Math.floor(P99 * (byTime.length - 1))]),
    slowestMs: tookMs(slowest),
    slowest: slowest === undefined ? '' : `${slowest.invoke.operation} over ${slowest.invoke.transport}`,
  };
}

/** Neither done, nor refused when it was asked for the last time. */
function isUnanswered({ oks, attempts }: Call): boolean {
  return oks.length === 0 && attempts.at(-1)?.end?.kind !== 'refused';
}

/** Why attempts did not get an answer, and how often. */
export function reasonsOf(history: readonly HistoryRecord[]): ReadonlyMap<string, number> {
  const reasons = new Map<string, number>();
  for (const { end, invoke } of attemptsOf(history)) {
    if (end?.kind !== 'unknown') continue;
    const reason = `${invoke.operation} over ${invoke.transport}: ${end.code} ${end.reason}`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return reasons;
}

/** One without an answer took all its time. */
function tookMs(attempt: TriedAttempt | undefined): number {
  if (attempt === undefined) return 0;
  const { invoke, end } = attempt;
  return end === undefined ? invoke.timeoutMs : end.at - invoke.at;
}
