/** Promotions for a run, made and read through the public API. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { callConnect, UnansweredError } from './connect-call.ts';

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

/** JSON of a 64-bit integer is a string, and a figure of zero is left out. */
const FIGURES = z.object({
  issued: z.coerce.number().default(0),
  archived: z.coerce.number().optional(),
});

const DRAIN_POLL_MS = 100;

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

  /** Reads the figures of a promotion. */
  async figures(id: string): Promise<PromotionFigures> {
    const { issued, archived } = FIGURES.parse(
      await this.#call('PromotionService/GetPromotionStatistics', { promotionId: id }),
    );
    return { issued, archived };
  }

  /** Waits until every coupon of the promotion is in Postgres; throws when that takes longer than `limitMs`. */
  async waitUntilArchived(id: string, limitMs: number): Promise<void> {
    const endsMs = performance.now() + limitMs;
    for (;;) {
      const figures = await this.figures(id).catch((error: unknown) => {
        // A Postgres that is busy with archiving is what is waited for.
        if (error instanceof UnansweredError) return undefined;
        throw error;
      });
      const { issued = 0, archived = 0 } = figures ?? {};
      if (figures !== undefined && archived >= issued) return;
      if (performance.now() > endsMs)
        throw new Error(`${id}: ${archived} of ${issued} coupons archived in time`);
      await sleep(DRAIN_POLL_MS);
    }
  }

  #call(method: string, message: object): Promise<unknown> {
    return callConnect(this.#port, this.#token, method, message);
  }
}
