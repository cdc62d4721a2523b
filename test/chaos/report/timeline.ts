/** The history of a run in slices of time: how much was asked and answered, how fast, and when nothing was. */
import type { HistoryRecord } from '../history/history.ts';

/** Length of a slice, ms. */
export const SLICE_MS = 500;
/** A pause in answers that is called an outage, ms: several times what a slow disk or a busy machine costs. */
const OUTAGE_MS = 500;

/** One slice. */
export interface Slice {
  readonly fromMs: number;
  readonly ok: number;
  readonly refused: number;
  readonly unknown: number;
  /** Latency of attempts that were answered, ms; absent when none was. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/** A time in which nobody was answered OK or refused, though somebody asked. */
export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
}

/** All slices and outages of a run. */
export interface Timeline {
  readonly slices: readonly Slice[];
  readonly outages: readonly Outage[];
  readonly totals: Readonly<Record<'attempts' | 'ok' | 'refused' | 'unknown', number>>;
  /** Attempts by operation. */
  readonly operations: Readonly<Record<string, number>>;
}

interface Answered {
  readonly atMs: number;
  readonly kind: 'ok' | 'refused' | 'unknown';
  readonly tookMs: number;
}

/** Reads a history. Only what happened up to `untilMs` counts for outages: later there is no load. */
export function timelineOf(history: readonly HistoryRecord[], untilMs: number): Timeline {
  const { answers, operations, attempts } = readAnswers(history);
  const first = answers[0]?.atMs ?? untilMs;
  const bySlice = Map.groupBy(answers, ({ atMs }) => Math.floor((atMs - first) / SLICE_MS));
  const count = Math.max(0, ...bySlice.keys()) + 1;
  const slices = Array.from({ length: count }, (_, index) =>
    sliceOf(first + index * SLICE_MS, bySlice.get(index) ?? []),
  );
  const totals = {
    attempts,
    ok: ofKind(answers, 'ok'),
    refused: ofKind(answers, 'refused'),
    unknown: ofKind(answers, 'unknown'),
  };
  return { slices, outages: outagesOf(answers, untilMs), totals, operations };
}

function readAnswers(history: readonly HistoryRecord[]): {
  answers: Answered[];
  operations: Record<string, number>;
  attempts: number;
} {
  const invoked = new Map<number, number>();
  const answers: Answered[] = [];
  const operations: Record<string, number> = {};
  for (const record of history) {
    if (record.kind === 'note' || record.kind === 'cursor') continue;
    if (record.kind === 'invoke') {
      invoked.set(record.id, record.at);
      operations[record.operation] = (operations[record.operation] ?? 0) + 1;
      continue;
    }
    const { at, kind, id } = record;
    answers.push({ atMs: at, kind, tookMs: at - (invoked.get(id) ?? at) });
  }
  return { answers, operations, attempts: invoked.size };
}

function ofKind(answers: readonly Answered[], kind: Answered['kind']): number {
  return answers.filter((answer) => answer.kind === kind).length;
}

function sliceOf(fromMs: number, answers: readonly Answered[]): Slice {
  const tookMs = answers
    .filter(({ kind }) => kind !== 'unknown')
    .map((answer) => answer.tookMs)
    .toSorted((left, right) => left - right);
  return {
    fromMs,
    ok: ofKind(answers, 'ok'),
    refused: ofKind(answers, 'refused'),
    unknown: ofKind(answers, 'unknown'),
    p50Ms: tookMs[Math.floor(tookMs.length * 0.5)],
    p99Ms: tookMs[Math.floor(tookMs.length * 0.99)],
  };
}

function outagesOf(answers: readonly Answered[], untilMs: number): Outage[] {
  const decided = answers.filter(({ kind, atMs }) => kind !== 'unknown' && atMs <= untilMs);
  const outages: Outage[] = [];
  for (const [index, { atMs }] of decided.entries()) {
    const toMs = decided[index + 1]?.atMs ?? untilMs;
    if (toMs - atMs >= OUTAGE_MS) outages.push({ fromMs: atMs, toMs });
  }
  return outages;
}
