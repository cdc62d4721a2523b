/** What driving events works with. */
import type { Sql } from '../database/client.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { RuleSet } from '../ruleset/rule-set.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** How events are treated. */
export interface EventSettings {
  /** Days of 24 hours that an event waits for the order it is about. */
  readonly waitDays: number;
  /** IANA zone in which a birthday begins and ends. */
  readonly timeZone: string;
}

/** Personal details that come with a registration. */
export interface ProfileDetails {
  readonly phone?: string;
  readonly name?: string;
}

/** Where personal details of users are kept, apart from everything else. */
export interface UserProfiles {
  /** Stores what is given; repeating it is harmless. Throws USER_NOT_FOUND when the user was erased. */
  put(userId: string, details: ProfileDetails, deadlineMs: number): Promise<unknown>;
}

/** Points of orders. Both calls may be repeated. */
export interface OrderPoints {
  earn(
    request: {
      readonly userId: string;
      readonly orderId: string;
      readonly paidMinor: number;
      readonly currency: string;
    },
    deadlineMs: number,
  ): Promise<{ readonly points: number }>;
  reverse(
    request: {
      readonly userId: string;
      readonly orderId: string;
      readonly remainingPaidMinor: number;
      readonly isWhollyBack: boolean;
      readonly reason: string;
    },
    deadlineMs: number,
  ): Promise<{ readonly points: number; readonly debt: number }>;
}

/** An order whose hold or use is to end. */
export interface EndedOrder {
  readonly userId: string;
  readonly orderId: string;
  readonly requestId: string;
  readonly reason: string;
}

/** What ends redemptions. All calls may be repeated with the same request id. */
export interface OrderEndings {
  /** Brings the record of an order back that has left Redis; nothing when it is there or there never was one. */
  bringBack(userId: string, orderId: string, deadlineMs: number): Promise<unknown>;
  /** Lets a reservation go. */
  release(order: EndedOrder, deadlineMs: number): Promise<unknown>;
  /** Gives back the coupons of a committed order; no coupon named means the whole order. */
  returnCoupons(
    order: EndedOrder & { readonly couponIds: readonly string[] },
    deadlineMs: number,
  ): Promise<unknown>;
}

/** Everything. */
export interface EventPorts {
  readonly sql: Sql;
  readonly ledger: Ledger;
  /** The promotions in force; the keeper of the process. */
  readonly rules: { readonly current: RuleSet };
  readonly points: OrderPoints;
  readonly orders: OrderEndings;
  readonly profiles: UserProfiles;
  readonly metrics: Pick<Metrics, 'events' | 'eventsUnsettled'>;
  readonly logger: Logger;
  readonly settings: EventSettings;
  readonly nowMs: () => number;
}
