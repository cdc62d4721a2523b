import type { PartitionId } from '../ledger-port.ts';
import type { CheckResult } from './check.ts';

/** What an audit of one partition found. */
export interface AuditReport {
  readonly partition: PartitionId;
  /** The archive's cursor up to which everything was compared. */
  readonly cursorSeq: number;
  readonly checks: readonly CheckResult[];
  /** True when nothing is broken. */
  readonly holds: boolean;
}

/** The report as lines for people. */
export function formatReport(report: AuditReport): string {
  const { generation, partition } = report.partition;
  const head = `Audit of generation ${generation}, partition ${partition}, up to entry ${report.cursorSeq}`;
  const end = report.holds ? 'Every invariant holds.' : 'AN INVARIANT IS BROKEN.';
  return [head, ...report.checks.flatMap(checkLines), end, ''].join('\n');
}

function checkLines(check: CheckResult): string[] {
  const figures = Object.entries(check.figures).map(([name, value]) => `${name} ${value}`);
  const verdict = check.breachCount === 0 ? 'holds ' : 'BROKEN';
  const lines = [`  ${check.id.padEnd(3)} ${verdict} ${check.title}: ${figures.join(', ')}`];
  for (const note of check.notes) lines.push(`        note: ${note}`);
  for (const breach of check.breaches) lines.push(`        breach: ${breach}`);
  const more = check.breachCount - check.breaches.length;
  if (more > 0) lines.push(`        and ${more} more`);
  return lines;
}
