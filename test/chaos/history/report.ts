/** What a check found, for people and for programs: the first violation with everything that shows it. */
import type { HistoryRecord } from './history.ts';
import type { LedgerState } from './state/ledger-state.ts';
import { eventsOf } from './state/replay.ts';
import {
  type Findings,
  type Place,
  PROMISES,
  type PromiseName,
  placeText,
  type Violation,
} from './violation.ts';

/** A violation with its evidence written out. */
export interface ToldViolation {
  readonly promise: PromiseName;
  readonly kind: string;
  readonly text: string;
  readonly history: readonly HistoryRecord[];
  readonly events: readonly string[];
}

/** The outcome of a check as data. */
export interface CheckReport {
  readonly holds: boolean;
  /** The first violation found. */
  readonly first: ToldViolation | undefined;
  readonly violations: readonly ToldViolation[];
  /** Violations of each kind, those that are not told included. */
  readonly totals: Readonly<Record<string, number>>;
  /** How much was looked at. */
  readonly looked: Readonly<Record<string, number>>;
}

const SHOWN_VALUE_CHARACTERS = 80;
/** Records of the history shown per violation. */
const SHOWN_RECORDS = 20;

function shownValue(value: string | undefined): string {
  if (value === undefined) return 'removed';
  const isText = /^[\x20-\x7e]*$/.test(value);
  const text = isText ? value : `0x${Buffer.from(value, 'latin1').toString('hex')}`;
  return text.length > SHOWN_VALUE_CHARACTERS ? `${text.slice(0, SHOWN_VALUE_CHARACTERS)}…` : text;
}

/** The event at a place in words: `p0 12:3 claimed 2026-11-22T… promotion:4 issued=7`. */
function eventText(state: LedgerState, place: Place): string {
  const log = state.logs.find(
    (one) => one.generation === place.generation && one.partition === place.partition,
  );
  const stored = log?.log.find(({ seq }) => seq === place.seq);
  const event = log && stored && eventsOf(log, stored)[place.index];
  if (event === undefined) return `${placeText(place)} (no such event in the log)`;
  const writes = event.writes.map(({ target, id, fields }) => {
    const told = fields.map(({ name, value }) => `${shownValue(name)}=${shownValue(value)}`);
    return `${target}:${id} ${told.join(' ')}`;
  });
  return `${placeText(place)} ${event.kind} ${new Date(event.timeMs).toISOString()} ${writes.join('; ')}`;
}

function told(
  violation: Violation,
  byAttempt: ReadonlyMap<number, HistoryRecord[]>,
  state: LedgerState,
): ToldViolation {
  const { promise, kind, text, attempts, places } = violation;
  return {
    promise,
    kind,
    text,
    history: attempts.flatMap((id) => byAttempt.get(id) ?? []).slice(0, SHOWN_RECORDS),
    events: places.map((place) => eventText(state, place)),
  };
}

/** Writes out what was found. */
export function reportOf(
  findings: Findings,
  history: readonly HistoryRecord[],
  state: LedgerState,
): CheckReport {
  const byAttempt = new Map<number, HistoryRecord[]>();
  for (const record of history) {
    if (!('id' in record)) continue;
    const records = byAttempt.get(record.id) ?? [];
    byAttempt.set(record.id, records);
    records.push(record);
  }
  const violations = findings.violations.map((violation) => told(violation, byAttempt, state));
  return {
    holds: violations.length === 0,
    first: violations[0],
    violations,
    totals: Object.fromEntries(findings.totals),
    looked: Object.fromEntries(findings.looked),
  };
}

function violationLines({ promise, kind, text, history, events }: ToldViolation): string[] {
  return [
    `${promise} ${kind}: ${text}`,
    `  promised: ${PROMISES[promise]}`,
    ...events.map((event) => `  event   ${event}`),
    ...history.map((record) => `  history ${JSON.stringify(record)}`),
  ];
}

/** The report for people. */
export function reportText(report: CheckReport): string {
  const looked = Object.entries(report.looked).map(([what, count]) => `${count} ${what}`);
  const lines = [`looked at ${looked.join(', ')}`];
  if (report.holds) return [...lines, 'every promise was kept'].join('\n');
  const totals = Object.entries(report.totals).map(([kind, count]) => `${kind} ${count}`);
  lines.push(`VIOLATIONS: ${totals.join(', ')}`);
  for (const violation of report.violations) lines.push(...violationLines(violation));
  return lines.join('\n');
}
