/** A broken promise: which one, and what was seen. */
export class Violation extends Error {
  override readonly name = 'Violation';
  /** The invariant, such as `I1`. */
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

/** Throws a {@link Violation} unless it holds. */
export function hold(invariant: string, isHeld: boolean, message: () => string): void {
  if (!isHeld) throw new Violation(invariant, message());
}
