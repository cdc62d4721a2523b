/** The points of users: everything that gives, takes and shows them. */
import type { RefusalReason } from '../domain/refusal.ts';
import { Refusal } from '../domain/refusal.ts';
import type { ClaimFacts } from '../ledger/claim-operation.ts';
import { isErased } from '../ledger/erased-user.ts';
import { accountOf } from '../ledger/transaction.ts';
import { pointsOf, type RecordMap } from './account-points.ts';
import { type Awarded, type AwardRequest, awardPoints } from './award-points.ts';
import { type Earned, type EarnRequest, earnPoints } from './earn-points.ts';
import { type Exchanged, type ExchangeRequest, exchangePoints } from './exchange-points.ts';
import { knownFacts } from './known-facts.ts';
import { balanceOf, type PointsBalance } from './points-balance.ts';
import type { PointsPorts } from './points-ports.ts';
import { type Reversed, type ReverseRequest, reversePoints } from './reverse-points.ts';

/** The operations, each in one transaction of the ledger. `deadlineMs` is local time in ms since the epoch. */
export class Points {
  private readonly ports: PointsPorts;

  constructor(ports: PointsPorts) {
    this.ports = ports;
  }

  /** Gives the points of a completed order, once; see {@link earnPoints}. */
  async earn(request: EarnRequest, deadlineMs: number): Promise<Earned> {
    return await earnPoints(this.ports, request, deadlineMs);
  }

  /** Takes points of a refunded order back; see {@link reversePoints}. */
  async reverse(request: ReverseRequest, deadlineMs: number): Promise<Reversed> {
    return await reversePoints(this.ports, request, deadlineMs);
  }

  /** Buys a coupon; see {@link exchangePoints}. */
  async exchange(request: ExchangeRequest, deadlineMs: number): Promise<Exchanged> {
    try {
      const exchanged = await exchangePoints(this.ports, request, deadlineMs);
      this.countExchange(exchanged.coupon.isReplay ? 'replayed' : 'exchanged');
      return exchanged;
    } catch (error) {
      this.countExchange(error instanceof Refusal ? error.reason : 'INTERNAL');
      throw error;
    }
  }

  /** Gives points for a test; see {@link awardPoints}. */
  async award(request: AwardRequest, deadlineMs: number): Promise<Awarded> {
    return await awardPoints(this.ports, request, deadlineMs);
  }

  /** What the user has, for showing: as read, of a partition that is open. Throws LEDGER_* and DEADLINE_EXCEEDED. */
  async balance(userId: string, deadlineMs: number): Promise<PointsBalance> {
    return this.balanceIn(await this.account(userId, deadlineMs));
  }

  /** What an exchange would be decided on: the balance, and the facts beside those asserted. Throws as `balance` does. */
  async standing(
    userId: string,
    asserted: ClaimFacts | undefined,
    deadlineMs: number,
  ): Promise<{ readonly balance: PointsBalance; readonly facts: ClaimFacts | undefined }> {
    const account = await this.account(userId, deadlineMs);
    return { balance: this.balanceIn(account), facts: knownFacts(asserted, account) };
  }

  /** Of an erased user as of one who is not known. */
  private async account(userId: string, deadlineMs: number): Promise<RecordMap> {
    const { ledger } = this.ports;
    const [account] = await ledger.read(deadlineMs, (reads) => reads.records([accountOf(userId)]));
    return account === undefined || isErased(account) ? new Map() : account;
  }

  private balanceIn(account: RecordMap): PointsBalance {
    const { ledger, settings } = this.ports;
    return balanceOf(pointsOf(account), settings, ledger.nowMs());
  }

  private countExchange(outcome: 'exchanged' | 'replayed' | RefusalReason): void {
    this.ports.metrics.exchanges.child(outcome).value += 1;
  }
}
