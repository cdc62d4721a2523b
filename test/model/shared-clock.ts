/**
 * The clock of the ledger and of everything around it. The ledger's clock is the later of its server's and the last event's;
 * an event from the future stops it there, so between two moves every decision falls on the same, known instant. All
 * sequences of a batch move on together, when each has come to that place.
 */

/** One move of the clock. */
export interface Move {
  readonly byMs: number;
  /** The sweep runs right after it. */
  readonly isSwept: boolean;
}

/** Where the sequences of a batch wait for each other. */
export class SharedClock {
  private readonly moves: readonly Move[];
  private readonly move: (move: Move) => Promise<void>;
  private readonly parties: number;
  private waiting: PromiseWithResolvers<void>[] = [];

  /** @param move moves the clock; nothing else happens meanwhile */
  constructor(parties: number, moves: readonly Move[], move: (move: Move) => Promise<void>) {
    this.parties = parties;
    this.moves = moves;
    this.move = move;
  }

  /** Waits until everybody is here and the clock has moved; the move, or undefined when there are no more. */
  async arrive(place: number): Promise<Move | undefined> {
    const next = this.moves[place];
    if (next === undefined) return undefined;
    const here = Promise.withResolvers<void>();
    this.waiting.push(here);
    if (this.waiting.length === this.parties) await this.goOn(next);
    await here.promise;
    return next;
  }

  private async goOn(next: Move): Promise<void> {
    const all = this.waiting;
    this.waiting = [];
    try {
      await this.move(next);
      for (const { resolve } of all) resolve();
    } catch (error) {
      for (const { reject } of all) reject(error);
    }
  }
}
