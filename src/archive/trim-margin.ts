interface Mark {
  readonly seq: number;
  readonly archivedAtMs: number;
}

/**
 * Decides how much of the stream may go: entries archived at least a margin ago (LEDGER rule 16). What was archived
 * before this object was made counts as archived now, so a restart starts the margin anew. The entry at the cursor is
 * never given away, because the gatekeeper compares it.
 */
export class TrimMargin {
  private readonly marginMs: number;
  private readonly intervalMs: number;
  private marks: Mark[] = [];

  constructor(marginMs: number, intervalMs: number) {
    this.marginMs = marginMs;
    this.intervalMs = intervalMs;
  }

  /** Notes that everything up to `seq` is archived at `nowMs`; one mark per interval is enough. */
  note(seq: number, nowMs: number): void {
    const last = this.marks.at(-1);
    if (seq < 0 || last?.seq === seq) return;
    if (last === undefined || nowMs - last.archivedAtMs >= this.intervalMs)
      this.marks.push({ seq, archivedAtMs: nowMs });
  }

  /** Entries below the answered number may be dropped now; undefined when there is nothing new to drop. */
  takeDue(nowMs: number): number | undefined {
    const due = this.marks.filter((mark) => nowMs - mark.archivedAtMs >= this.marginMs);
    this.marks = this.marks.slice(due.length);
    return due.at(-1)?.seq;
  }
}
