/** Does a piece of work once at the end of the current turn, after its I/O, so that requests which arrived together travel together. */
export class TurnEnd {
  private readonly work: () => void;
  private isScheduled = false;

  constructor(work: () => void) {
    this.work = work;
  }

  /** Has the work done at the end of this turn; asking again before changes nothing. */
  schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.work();
    });
  }
}
