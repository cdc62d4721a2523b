/** What is wrong with a choice of which nothing, or nothing this version knows, is set. */
export const UNKNOWN_KIND = 'is missing or of a kind that is not known';

/** A part of a stored promotion that this version of the product cannot read: a newer kind, or a value the contract forbids. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
  /** Path inside the part; empty for the part itself. */
  readonly field: string;

  constructor(field: string, reason: string) {
    super(reason);
    this.field = field;
  }
}

/** The name a value of an enum stands for. Throws {@link UnreadableError} for a value without one. */
export function nameOf<Name>(names: ReadonlyMap<number, Name>, value: number, field: string): Name {
  const name = names.get(value);
  if (name === undefined) throw new UnreadableError(field, `has the value ${value}, which is not known`);
  return name;
}

/** A 64-bit number as a plain one. Throws {@link UnreadableError} when it is not a safe integer. */
export function safeNumber(value: bigint, field: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new UnreadableError(field, 'is beyond 2^53 - 1');
  return number;
}

/** A message that must be there. Throws {@link UnreadableError} when it is absent. */
export function present<Message>(message: Message | undefined, field: string): Message {
  if (message === undefined) throw new UnreadableError(field, 'is missing');
  return message;
}
