/** The promotions as handlers of users' calls see them: the rule set in memory, and older versions where coupons need them. */
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';

/** Where handlers look promotions up. The composition root makes it from the rule set and the definitions. */
export interface PromotionBook {
  /** The promotion in force under this id, or undefined when there is none. */
  byId(promotionId: string): Promotion | undefined;
  /** Active promotions of the claim centre, highest priority first, then by id. */
  claimable(): readonly Promotion[];
  /** Active promotions that points buy, cheapest first, then by priority and id. */
  exchangeable(): readonly Promotion[];
  /** One stored version; undefined when it does not exist. Throws a refusal when that cannot be known. */
  version(ref: number, version: number, deadlineMs: number): Promise<Promotion | undefined>;
}
