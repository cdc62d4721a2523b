/** Promotions for a run, made and read through the public API. */
import { z } from 'zod';
import { callConnect } from './connect-call.ts';

/** What a benchmark's promotion needs; the rest is the same for all. */
export interface PromotionSpec {
  readonly id: string;
  /** Absent: unlimited. */
  readonly quantity?: number;
  /** Absent: unlimited. */
  readonly perUserLimit?: number;
  /** Points one coupon costs. Absent: it is claimed. */
  readonly pointsRequired?: number;
}

/** Figures of a promotion from the live ledger, and how many of its coupons are in Postgres. */
export interface PromotionFigures {
  readonly issued: number;
  readonly archived: number | undefined;
}

/** How many coupons of a promotion the ledger has issued. */
export interface IssuedCount {
  readonly ref: number;
  readonly issued: number;
}

/** JSON of a 64-bit integer is a string, and a figure of zero is left out. */
const FIGURES = z.object({
  issued: z.coerce.number().default(0),
  archived: z.coerce.number().optional(),
});

const ISSUED = z.object({
  promotion: z.object({ ref: z.number(), issuedCount: z.coerce.number().default(0) }),
});

/** Staff's view of a running service. */
export class Promotions {
  readonly #port: number;
  readonly #token: string;

  /** `port` is that of the HTTP server, `token` an admin's. */
  constructor(port: number, token: string) {
    this.#port = port;
    this.#token = token;
  }

  /** Creates a promotion that everyone may have, and activates it. */
  async create({ id, quantity, perUserLimit, pointsRequired }: PromotionSpec): Promise<void> {
    const limit = perUserLimit === undefined ? { unlimitedPerUser: true } : { perUserLimit };
    const reach =
      pointsRequired === undefined
        ? { claimable: {} }
        : { pointsExchange: { pointsRequired: String(pointsRequired) } };
    await this.#call('PromotionService/CreatePromotion', {
      promotionId: id,
      requestId: `create-${id}`,
      promotion: {
        name: { en: 'Benchmark', zh: '压测' },
        currency: 'CNY',
        effect: { fixedAmountOff: { amountMinor: '1000' } },
        reach,
        stock: { ...(quantity !== undefined && { quantity: String(quantity) }), ...limit },
        validity: { daysAfterClaim: { days: 7 } },
      },
    });
    await this.#call('PromotionService/ActivatePromotion', { promotionId: id, requestId: `activate-${id}` });
  }

  /** Claims one coupon, with the same token: for warming up and for selling out. */
  async claim(id: string, userId: string, token: string): Promise<void> {
    await callConnect(this.#port, token, 'CouponService/ClaimCoupon', {
      promotionId: id,
      userId,
      requestId: `single-${userId}`,
    });
  }

  /** Reads the figures of a promotion. Its coupons are counted for that, which takes Postgres a second when there are millions. */
  async figures(id: string): Promise<PromotionFigures> {
    const { issued, archived } = FIGURES.parse(
      await this.#call('PromotionService/GetPromotionStatistics', { promotionId: id }),
    );
    return { issued, archived };
  }

  /** Coupons issued of a promotion, by the live ledger, and the number the ledger knows it by. */
  async issued(id: string): Promise<IssuedCount> {
    const { promotion } = ISSUED.parse(
      await this.#call('PromotionService/GetPromotion', { promotionId: id }),
    );
    return { ref: promotion.ref, issued: promotion.issuedCount };
  }

  #call(method: string, message: object): Promise<unknown> {
    return callConnect(this.#port, this.#token, method, message);
  }
}
