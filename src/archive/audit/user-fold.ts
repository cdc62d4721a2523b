import type { LedgerEntry, LedgerEvent, Write } from '../../ledger/event-format.ts';
import { applyWrite, type RecordImage, userOfRecord } from './apply-write.ts';
import type { Check } from './check.ts';
import { DueCheck } from './due-check.ts';
import { HoldCheck } from './hold-check.ts';
import { OrderUses } from './order-uses.ts';
import { PointsCheck } from './points-check.ts';
import { WalletFold } from './wallet-fold.ts';

/** The checks that are made at every event of some users. */
export interface UserChecks {
  readonly limit: Check;
  readonly once: Check;
  readonly holds: Check;
  readonly points: Check;
  readonly uses: Check;
}

/** Replays the events of some users: wallets, orders, accounts, and when the orders are due. */
export class UserFold {
  private readonly includes: (userId: string) => boolean;
  private readonly walletFold: WalletFold;
  private readonly orderImages = new Map<string, Map<string, string>>();
  private readonly accountImages = new Map<string, Map<string, string>>();
  private readonly dueScores = new Map<string, string>();
  private readonly holdCheck: HoldCheck;
  private readonly pointsCheck: PointsCheck;
  private readonly dueCheck: DueCheck;
  /** What the orders count. */
  readonly uses: OrderUses;

  /**
   * @param includes which users this pass is about: a long log is folded in several passes, so that memory is bounded
   * @param isWhole false when the log does not reach back to the start
   */
  constructor(includes: (userId: string) => boolean, checks: UserChecks, isWhole: boolean) {
    this.includes = includes;
    this.walletFold = new WalletFold(includes, checks, isWhole);
    this.uses = new OrderUses();
    const images = { wallets: this.wallets, orders: this.orders, accounts: this.accounts };
    this.holdCheck = new HoldCheck(checks.holds, images, isWhole);
    this.pointsCheck = new PointsCheck(checks.points, this.accounts, isWhole);
    this.dueCheck = new DueCheck(checks.holds, this.orders, this.due);
  }

  /** The wallets after the last entry added, by user. */
  get wallets(): ReadonlyMap<string, RecordImage> {
    return this.walletFold.wallets;
  }

  /** The orders, by `<user>/<order>`. */
  get orders(): ReadonlyMap<string, RecordImage> {
    return this.orderImages;
  }

  /** The accounts, by user. */
  get accounts(): ReadonlyMap<string, RecordImage> {
    return this.accountImages;
  }

  /** The due set: `<user>/<order>` to its score in decimal. */
  get due(): RecordImage {
    return this.dueScores;
  }

  /** What a user's points transactions came to. */
  pointsOf(userId: string): { readonly count: number; readonly sum: number } {
    return this.pointsCheck.transactionsOf(userId);
  }

  /** Adds the next entry. */
  add(seq: number, entry: LedgerEntry): void {
    entry.events.forEach((event, index) => {
      this.addEvent(seq, event, `event ${seq}:${index}`);
    });
  }

  private addEvent(seq: number, event: LedgerEvent, place: string): void {
    this.walletFold.addEvent(seq, event, place);
    const writes = event.writes.flatMap((write) => this.ownPart(write));
    for (const write of writes) this.apply(seq, write);
    // Records that were carried over come one by one; what they say of each other holds once all are there.
    if (event.kind === 'carried') return;
    this.holdCheck.check(event, writes, place);
    this.pointsCheck.check(writes, place);
    this.dueCheck.check(writes, place);
  }

  private apply(seq: number, write: Write): void {
    if (write.target === 'order') {
      applyWrite(imageOf(this.orderImages, write.id), write, seq);
      this.uses.apply(write, this.orderImages.get(write.id));
    } else if (write.target === 'account') applyWrite(imageOf(this.accountImages, write.id), write, seq);
    else if (write.target === 'due') applyWrite(this.dueScores, write, seq);
  }

  /** The part of a write that is about the users of this pass. */
  private ownPart(write: Write): Write[] {
    const { target, id } = write;
    if (target === 'promotion' || target === 'index' || target === 'usage' || target === 'pool') return [];
    if (target !== 'due') return this.includes(userOfRecord(id)) ? [write] : [];
    const own = write.fields.filter(({ field }) => this.includes(userOfRecord(field.toString('latin1'))));
    return [{ ...write, fields: own }];
  }
}

function imageOf(images: Map<string, Map<string, string>>, id: string): Map<string, string> {
  const image = images.get(id) ?? new Map<string, string>();
  images.set(id, image);
  return image;
}
