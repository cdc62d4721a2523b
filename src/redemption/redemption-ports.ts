/** What redemptions are made of. */
import type { Identity } from '../domain/identity.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { HolderState } from '../ledger/reads.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { CodeHolds } from './code-holds.ts';
import type { OrderArchive } from './hydrate-order.ts';
import type { SharingLedger } from './shared-usage.ts';

/** The circumstances of a call: who calls, since when, and until when an answer is of use (local epoch milliseconds). */
export interface Caller {
  readonly identity: Identity;
  readonly nowMs: number;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Promotions in force. */
export interface CurrentPromotions {
  /** The current version under this id; undefined when there is none. */
  byId(promotionId: string): Promotion | undefined;
}

/** What a promotion has run out of. */
export type ExhaustedLimit = 'USES_EXHAUSTED' | 'USER_USES_EXHAUSTED' | 'BUDGET_EXHAUSTED';

/**
 * Hears which promotions have run out, as the ledger found when it counted a use. Decisions that follow leave them out, so
 * that an automatic promotion which has just run out does not keep an order from being made.
 */
export interface ExhaustedPromotions {
  /** @param seen what is counted by now: uses, or minor units */
  note(promotionRef: number, userId: string, limit: ExhaustedLimit, seen: number): void;
}

/** What letting go of a reservation takes. */
export interface LetGoPorts {
  readonly ledger: Pick<Ledger, 'read' | 'transact' | 'nowMs'>;
  /** Absent: there are no single-use codes. */
  readonly codes?: CodeHolds;
  /** Absent where promotions are not followed; every code may then be a single-use one. */
  readonly promotions?: CurrentPromotions;
}

/** What reserving, using and committing take besides. */
export interface RedemptionPorts extends LetGoPorts {
  readonly ledger: LetGoPorts['ledger'] & SharingLedger;
  /** Absent: no order ever leaves Redis. */
  readonly archive?: Pick<OrderArchive, 'read'>;
  readonly promotions: CurrentPromotions;
  /**
   * Decides on an EvaluateCartRequest as the caller would be answered; gives the EvaluateCartResponse. Throws its refusals.
   *
   * @param holder what was read of the user, so that it need not be read again
   */
  evaluate(request: Uint8Array, caller: Caller, holder: HolderState): Promise<Uint8Array>;
  /** Absent: a promotion that has run out refuses the order. */
  readonly exhausted?: ExhaustedPromotions;
  readonly metrics: Pick<Metrics, 'redemptions' | 'couponsUsed' | 'discounts'>;
}
