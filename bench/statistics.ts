/** The arithmetic of the report: medians over rounds, and ratios between contenders. */
import type { Contender, ContenderKey, Limit, Measurement, Side } from './contenders/contender.ts';

/** The middle value; of an even number of values the mean of the two in the middle. NaN when there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** What a report says about one contender: medians over all rounds, and the rounds themselves. */
export interface ContenderSummary {
  readonly key: ContenderKey;
  readonly title: string;
  readonly side: Side;
  readonly unit: string;
  readonly operationsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly serverCpuUs: number;
  readonly behindCpuUs: Readonly<Record<string, number>>;
  readonly generatorShare: number;
  readonly foreignShare: number;
  /** Sum over all rounds: one error is one too many. */
  readonly errors: number;
  readonly limitedBy: Limit;
  readonly rounds: readonly Measurement[];
}

/** A contender without its means to measure. */
export type ContenderFacts = Omit<Contender, 'measure'>;

/** Medians over the rounds of one contender. */
export function summarizeRounds(
  { key, title, side, unit }: ContenderFacts,
  rounds: readonly Measurement[],
): ContenderSummary {
  const middle = (read: (round: Measurement) => number): number => median(rounds.map(read));
  const names = new Set(rounds.flatMap((round) => Object.keys(round.behindCpuUs)));
  return {
    key,
    title,
    side,
    unit,
    operationsPerSecond: middle((round) => round.operationsPerSecond),
    p50Us: middle((round) => round.latency.p50Us),
    p99Us: middle((round) => round.latency.p99Us),
    p999Us: middle((round) => round.latency.p999Us),
    serverCpuUs: middle((round) => round.serverCpuUs),
    behindCpuUs: Object.fromEntries(
      [...names].map((name) => [name, middle((round) => round.behindCpuUs[name] ?? 0)]),
    ),
    generatorShare: middle((round) => round.generatorShare),
    foreignShare: middle((round) => round.foreignShare),
    errors: rounds.reduce((sum, round) => sum + round.errors, 0),
    limitedBy: commonest(rounds.map((round) => round.limitedBy)),
    rounds,
  };
}

function commonest(limits: readonly Limit[]): Limit {
  const count = (limit: Limit): number => limits.filter((other) => other === limit).length;
  return limits.toSorted((a, b) => count(b) - count(a))[0] ?? 'neither';
}

/** The round whose throughput is the median one, or the one below it: its curves stand for all in the plots. */
export function middleRound(rounds: readonly Measurement[]): Measurement | undefined {
  const sorted = rounds.toSorted((a, b) => a.operationsPerSecond - b.operationsPerSecond);
  return sorted[Math.ceil(sorted.length / 2) - 1];
}
