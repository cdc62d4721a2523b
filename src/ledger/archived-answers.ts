/** Claims that were carried out and are to be answered: at once, or at the level LEDGER when the archive has their coupons. */
import { type ArchiveAnswer, UNARCHIVED_REASONS } from './archived-coupons.ts';
import type { ClaimedCoupon } from './claim-operation.ts';
import type { WaitingClaim } from './claim-queue.ts';

/** What the answers need. */
export interface ArchivedAnswersPorts {
  /** Tells when the coupon that entry `seq` issued is archived; undefined: it was issued by an earlier call. Never rejects. */
  archived(couponId: string, seq: number | undefined, deadlineMs: number): Promise<ArchiveAnswer>;
  /** Called when a wait is over. */
  onSettled(): void;
}

/** See the module's comment. */
export class ArchivedAnswers {
  private readonly ports: ArchivedAnswersPorts;
  private held = 0;

  constructor(ports: ArchivedAnswersPorts) {
    this.ports = ports;
  }

  /** Claims whose answer waits for the archive. */
  get waiting(): number {
    return this.held;
  }

  /** Answers a claim that was carried out, or was before; `seq` is the entry of the call that says so. */
  give(claim: WaitingClaim, coupon: ClaimedCoupon, seq: number | undefined): void {
    if (coupon.acknowledgement !== 'ledger') {
      claim.isSettled = true;
      claim.request.listener.claimed(coupon);
      return;
    }
    void this.giveArchived(claim, coupon, coupon.isReplay ? undefined : seq);
  }

  /** The deadline ends the wait; what became of the coupon is unknown then, and the same request id tells later. */
  private async giveArchived(
    claim: WaitingClaim,
    coupon: ClaimedCoupon,
    seq: number | undefined,
  ): Promise<void> {
    this.held += 1;
    const { deadlineMs, listener } = claim.request;
    const answer = await this.ports.archived(coupon.couponId, seq, deadlineMs);
    this.held -= 1;
    if (!claim.isSettled) {
      claim.isSettled = true;
      if (answer === 'archived') listener.claimed(coupon);
      else listener.refused({ reason: UNARCHIVED_REASONS[answer], needed: 0, seen: 0, isFactMissing: false });
    }
    this.ports.onSettled();
  }
}
