/**
 * The span a piece of code works for. It follows promises by itself. What serves several at once (a batch, a timer, a connection)
 * cannot tell by it for whom it works: who waits there takes the span along.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from './span.ts';

const storage = new AsyncLocalStorage<Span | undefined>();
/** Whether there ever was a span: who traces nothing does not even look. */
let isInUse = false;

/** The span this code works for; undefined when nobody records it. */
export function currentSpan(): Span | undefined {
  return isInUse ? storage.getStore() : undefined;
}

/** Does a piece of work for a span, or for none. */
export function within<Result>(span: Span | undefined, work: () => Result): Result {
  if (span === undefined && !isInUse) return work();
  isInUse = true;
  return storage.run(span, work);
}
