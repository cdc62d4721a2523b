/** Work in spans of its own: for one who waits for it, or for several. */
import { Refusal } from '../../domain/refusal.ts';
import { currentSpan, within } from './current-span.ts';
import { LINKS_PER_SPAN } from './limits.ts';
import type { Span, SpanStart } from './span.ts';

/** What failed, in a word: a reason, an SQL state, the name of an error. Never its message. */
export function errorType(error: unknown): string {
  if (error instanceof Refusal) return error.reason;
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** Does the work in a part of the span this code works for; just does it when there is none. */
export function tracedWork<Result>(start: () => SpanStart, work: () => Promise<Result>): Promise<Result> {
  const span = currentSpan()?.child(start());
  return span === undefined ? work() : recorded(span, work);
}

/** Does the work within the span and ends it. */
export async function recorded<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    return await within(span, work);
  } catch (error) {
    span.fail(errorType(error));
    throw error;
  } finally {
    span.end();
  }
}

/** One who may wait for work that is done for several. */
export interface Waits {
  /** The span that waits; undefined when nobody records it. */
  readonly span?: Span | undefined;
}

/** Does work that several wait for in one span, see {@link sharedSpan}; just does it when nobody is recorded. */
export function sharedWork<Result>(
  waiting: readonly Waits[],
  start: () => SpanStart,
  work: () => Promise<Result>,
): Promise<Result> {
  const span = sharedSpan(waiting, start);
  // Whatever this code happens to be called from, a timer or a connection, is not who it works for.
  return span === undefined ? within(undefined, work) : recorded(span, work);
}

/**
 * The span of work that several wait for: part of the trace of the first of them, and linked with all others in both directions,
 * so that it is found from each of their traces. Undefined when nobody is recorded.
 */
export function sharedSpan(waiting: readonly Waits[], start: () => SpanStart): Span | undefined {
  let shared: Span | undefined;
  let linked: Set<Span> | undefined;
  for (const { span } of waiting) {
    if (span === undefined || linked?.has(span) === true) continue;
    linked ??= new Set();
    linked.add(span);
    if (shared === undefined) shared = span.child(start());
    else if (linked.size <= LINKS_PER_SPAN) linkBoth(shared, span);
  }
  return shared;
}

function linkBoth(one: Span, other: Span): void {
  one.link(other);
  other.link(one);
}
