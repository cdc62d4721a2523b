/** What a reader must know before believing the figures of a run. */
import type { GeneratorCheck } from '../contenders/generator-check.ts';
import type { BesideResult } from '../evaluate/beside-heavy.ts';
import type { ContenderSummary } from '../statistics.ts';

/** A generator that uses more of its core than this may be what was measured. */
const BUSY_GENERATOR_SHARE = 0.8;

/** More than this of the measured core used by others makes figures swing. */
const FOREIGN_SHARE = 0.08;

/** How far two generators may differ on the same server before one of them is suspect. */
const GENERATOR_TOLERANCE = 0.25;

/**
 * Contenders whose answers should be of one size, and by how many bytes they may differ: a digit more or less for claims; answers to
 * carts differ among each other, and the echo gives one of middle size.
 */
const COMPARED_SIZES = [
  { ours: 'claim_grpc', echo: 'echo_grpcjs', toleranceBytes: 16 },
  { ours: 'evaluate_grpc', echo: 'echo_grpcjs_cart', toleranceBytes: 400 },
] as const;

/** One line per reason for doubt; none for a clean run. */
export function findWarnings(
  summaries: readonly ContenderSummary[],
  check: GeneratorCheck | undefined,
  beside?: BesideResult,
): string[] {
  const hasEcho = summaries.some(({ key }) => key === 'echo_grpcjs');
  return [
    ...summaries.flatMap(warnAboutContender),
    ...COMPARED_SIZES.flatMap((pair) => warnAboutSizes(summaries, pair)),
    ...(hasEcho ? warnAboutGenerator(check) : []),
    ...(beside === undefined ? [] : warnAboutBeside(beside)),
  ];
}

function warnAboutContender(summary: ContenderSummary): string[] {
  const warnings: string[] = [];
  if (summary.generatorShare > BUSY_GENERATOR_SHARE) {
    warnings.push(
      `${summary.key}: the generator used ${percent(summary.generatorShare)} of its core; the server may do more than shown`,
    );
  }
  if (summary.foreignShare > FOREIGN_SHARE) {
    warnings.push(
      `${summary.key}: other programs used ${percent(summary.foreignShare)} of the measured core; run it on a quiet machine`,
    );
  }
  if (summary.limitedBy === 'helpers') {
    warnings.push(
      `${summary.key}: the core of generator and stores was full, the server's was not; the server may do more than shown`,
    );
  }
  if (summary.errors > 0)
    warnings.push(`${summary.key}: ${summary.errors} errors, first: ${firstFailure(summary)}`);
  return warnings;
}

function firstFailure(summary: ContenderSummary): string {
  return summary.rounds.find((round) => round.firstFailure !== undefined)?.firstFailure ?? 'a refused item';
}

/** Only unary answers are compared: what a batch answers is as long as its items. */
function warnAboutSizes(
  summaries: readonly ContenderSummary[],
  pair: (typeof COMPARED_SIZES)[number],
): string[] {
  const size = (key: string): number | undefined =>
    summaries.find((summary) => summary.key === key)?.rounds[0]?.responseBytes;
  const ours = size(pair.ours);
  const echo = size(pair.echo);
  if (ours === undefined || echo === undefined || Math.abs(ours - echo) <= pair.toleranceBytes) return [];
  return [`answers differ in size: ${ours} bytes from ours, ${echo} from the echo`];
}

function warnAboutGenerator(check: GeneratorCheck | undefined): string[] {
  if (check === undefined)
    return ['h2load is not installed: the gRPC generator was not compared with another one'];
  const ratio = check.oursPerSecond / check.h2loadPerSecond;
  if (ratio > 1 - GENERATOR_TOLERANCE) return [];
  return [`the gRPC generator reached only ${percent(ratio)} of what h2load reached on the same echo`];
}

/** Tails are the first to suffer from a neighbour. */
function warnAboutBeside({ foreignShare, errors, firstFailure }: BesideResult): string[] {
  return [
    ...(foreignShare > FOREIGN_SHARE
      ? [
          `light requests: other programs used ${percent(foreignShare)} of the measured core; their p99 says little`,
        ]
      : []),
    ...(errors > 0 ? [`light and heavy requests: ${errors} errors, first: ${firstFailure}`] : []),
  ];
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
