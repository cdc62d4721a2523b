/** Where an event stands in the stream, and when it was decided (ms since the epoch). */
export interface EventPlace {
  readonly seq: number;
  readonly eventIndex: number;
  readonly timeMs: number;
}

/** This event cannot be projected, whatever the database says. */
export class UnprojectableError extends Error {
  override readonly name = 'UnprojectableError';
}

/** What `read` answers; whatever it throws makes the event unprojectable. */
export function readOrRefuse<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw new UnprojectableError(cause instanceof Error ? cause.message : 'cannot be read', { cause });
  }
}

/** Splits the id of an order's record. Throws {@link UnprojectableError} when it has no order. */
export function splitOrderId(id: string): { readonly userId: string; readonly orderId: string } {
  const slash = id.indexOf('/');
  if (slash < 1) throw new UnprojectableError(`"${id}" names no order`);
  return { userId: id.slice(0, slash), orderId: id.slice(slash + 1) };
}
