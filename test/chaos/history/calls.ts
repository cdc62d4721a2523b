/** The history as calls: all attempts of one request of one user, and what they came to. */
import type { Arguments, End, HistoryRecord, Invoke, Ok, Operation, Refused } from './history.ts';

/** One attempt; without an end nobody knows. */
export interface TriedAttempt {
  readonly invoke: Invoke;
  readonly end: End | undefined;
}

/** All attempts of one call. */
export interface Call {
  readonly operation: Operation;
  readonly userId: string;
  readonly requestId: string;
  readonly arguments: Arguments;
  readonly attempts: readonly TriedAttempt[];
  readonly oks: readonly Ok[];
  readonly refusals: readonly Refused[];
  /** `ok` when one attempt was done; `refused` when every attempt was; otherwise nobody knows. */
  readonly outcome: 'ok' | 'refused' | 'unknown';
}

/** The name of a call: who asks for what under which id. */
export function callName(operation: Operation, userId: string, requestId: string): string {
  return `${operation} ${userId} ${requestId}`;
}

function outcomeOf(attempts: readonly TriedAttempt[]): Call['outcome'] {
  if (attempts.some(({ end }) => end?.kind === 'ok')) return 'ok';
  return attempts.every(({ end }) => end?.kind === 'refused') ? 'refused' : 'unknown';
}

function callOf(attempts: readonly TriedAttempt[], first: Invoke): Call {
  const ends = attempts.flatMap(({ end }) => end ?? []);
  return {
    operation: first.operation,
    userId: first.arguments.userId ?? '',
    requestId: first.requestId,
    arguments: first.arguments,
    attempts,
    oks: ends.filter((end) => end.kind === 'ok'),
    refusals: ends.filter((end) => end.kind === 'refused'),
    outcome: outcomeOf(attempts),
  };
}

/** Attempts in the order they began. An end without a beginning is no attempt: see {@link strayEnds}. */
export function attemptsOf(history: readonly HistoryRecord[]): TriedAttempt[] {
  const ends = new Map<number, End>();
  for (const record of history) {
    if (record.kind !== 'note' && record.kind !== 'invoke' && record.kind !== 'cursor')
      ends.set(record.id, record);
  }
  const invokes = history.filter((record) => record.kind === 'invoke');
  return invokes.map((invoke) => ({ invoke, end: ends.get(invoke.id) }));
}

/** Ids of ends that no attempt began, or that end one twice: the record itself is broken. */
export function strayEnds(history: readonly HistoryRecord[]): number[] {
  const open = new Set<number>();
  const stray: number[] = [];
  for (const record of history) {
    if (record.kind === 'note' || record.kind === 'cursor') continue;
    if (record.kind === 'invoke') open.add(record.id);
    else if (!open.delete(record.id)) stray.push(record.id);
  }
  return stray;
}

/** All calls, in the order they began. */
export function callsOf(history: readonly HistoryRecord[]): Call[] {
  const groups = Map.groupBy(attemptsOf(history), ({ invoke }) =>
    callName(invoke.operation, invoke.arguments.userId ?? '', invoke.requestId),
  );
  return [...groups.values()].flatMap((attempts) => {
    const first = attempts[0]?.invoke;
    return first === undefined ? [] : [callOf(attempts, first)];
  });
}

/** Ids of all attempts of a call. */
export function attemptIds(call: Call): number[] {
  return call.attempts.map(({ invoke }) => invoke.id);
}
