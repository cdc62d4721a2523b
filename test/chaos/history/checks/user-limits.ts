/** I9 for claims: coupons of one user of one promotion, counted one by one, within the limit in force. */
import { claimCounterField } from '../../../../src/ledger/record-fields.ts';
import type { Observer, SeenEvent, World } from '../state/replay.ts';
import type { Findings, Place } from '../violation.ts';
import type { CouponBook } from './coupon-book.ts';
import type { Definitions } from './definitions.ts';
import { figureIn } from './stock.ts';

/** Counts what each user got of each promotion in a life. */
export class UserLimitCheck implements Observer {
  private readonly findings: Findings;
  private readonly coupons: CouponBook;
  private readonly definitions: Definitions;
  private readonly got = new Map<string, Place[]>();

  constructor(findings: Findings, coupons: CouponBook, definitions: Definitions) {
    this.findings = findings;
    this.coupons = coupons;
    this.definitions = definitions;
  }

  see({ place }: SeenEvent, world: World): void {
    for (const { userId, ref } of this.coupons.justIssued) this.checkOne(place, userId, ref, world);
  }

  private checkOne(place: Place, userId: string, ref: string, world: World): void {
    const key = `${userId}/${ref}`;
    const places = [...(this.got.get(key) ?? []), place];
    this.got.set(key, places);
    const told = figureIn(world.field('wallet', userId, claimCounterField(Number(ref)).toString('latin1')));
    const limit = this.definitions.inForce(place.partition, ref)?.perUser;
    this.findings.count('coupons held to limits');
    if (limit !== undefined && places.length > limit) {
      const text = `${userId} gets coupon ${places.length} of promotion ${ref}, one user may have ${limit}`;
      this.findings.breach('I9', 'user-limit', text, { places: places.slice(-limit - 1) });
    }
    if (world.isWhole && told !== places.length) {
      const text = `the wallet of ${userId} counts ${told ?? 0} coupons of promotion ${ref}, there were ${places.length}`;
      this.findings.breach('I2', 'user-miscounted', text, { places: [place] });
    }
  }
}
