/**
 * Single-use codes on their way into an order. Codes live in Postgres and orders in the ledger, so a code is taken in two
 * steps that can each be repeated: it is held for the order before the ledger decides, and confirmed or freed afterwards.
 * The ledger's order is the truth; codes follow it.
 *
 * | Step | What a crash right after it leaves | How it ends |
 * |---|---|---|
 * | 1. `hold` | codes held, no order | the caller's repeat goes on; otherwise the sweep finds them past `untilMs` and frees them |
 * | 2. the ledger reserves | codes held for a reserved order | as it should be, until the order ends |
 * | 2'. the ledger refuses | codes held, no order | `free` follows; otherwise the sweep, as after 1 |
 * | 3. the ledger commits (or uses at once) | codes held, order committed | `confirm` follows; a repeat of the call confirms too; otherwise the sweep |
 * | 4. the ledger releases, or lets it lapse | codes held, order ended | `free` follows; a repeat of the call frees too; otherwise the sweep |
 *
 * `free` follows a refusal only when the order holds nothing by then: another attempt for the same order may have gone
 * through with the same codes; that attempt holds them once more after the ledger has reserved. A code stays used when its
 * order is returned. Public codes are no business of this port.
 */

/** A single-use code as it was typed, without outer blanks and in lower case, and its promotion. */
export interface OrderCode {
  readonly code: string;
  readonly promotionRef: number;
}

/** An order that holds codes. */
export interface CodeHolder {
  readonly userId: string;
  readonly orderId: string;
}

/** Binds single-use codes to orders. Methods throw ARCHIVE_UNAVAILABLE and DEADLINE_EXCEEDED; all can be repeated. */
export interface CodeHolds {
  /**
   * Holds all of the codes for the order, or none. A code the order holds already stays held. Throws CODE_ALREADY_USED when
   * one is used, or held for another order; CODE_NOT_FOUND when there is none.
   *
   * @param untilMs when the sweep asks what became of the order, ms since the epoch
   */
  hold(
    codes: readonly OrderCode[],
    userId: string,
    orderId: string,
    deadlineMs: number,
    untilMs: number,
  ): Promise<void>;
  /** The order was committed: its codes are used. */
  confirm(userId: string, orderId: string, deadlineMs: number): Promise<void>;
  /** The order holds nothing any more: the codes it held are free. */
  free(userId: string, orderId: string, deadlineMs: number): Promise<void>;
  /** Orders with codes that are still held at `nowMs`, past their `untilMs`; longest overdue first. */
  unsettled(nowMs: number, limit: number, deadlineMs: number): Promise<readonly CodeHolder[]>;
}
