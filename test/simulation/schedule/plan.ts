/** A schedule: everything that happens in one run of the simulation, as data, so that it can be repeated, cut down and kept. */
import type { LiveState } from '../../../src/domain/live-definition.ts';
import type { AppendFsync } from '../redis/simulated-redis.ts';
import type { CallFate } from '../world/link.ts';

/** The promotions of every schedule: two with coupons to be claimed, one that applies to every order by itself. */
export const PROMOTIONS = ['fast', 'durable', 'automatic'] as const;
/** One of the promotions. */
export type PromotionName = (typeof PROMOTIONS)[number];

/** What differs from schedule to schedule. Times in milliseconds. */
export interface Settings {
  readonly appendFsync: AppendFsync;
  readonly hasReplica: boolean;
  readonly durabilityFallback: 'refuse' | 'degrade';
  readonly serving: number;
  readonly trimMarginMs: number;
  readonly quantity: number;
  readonly perUserLimit: number;
  /** How often the automatic promotion may be used. */
  readonly automaticUses: number;
  /** From the start on, coupons of `fast` are valid for so long. */
  readonly couponLifeMs: number;
  /** The server's clock minus that of the processes. */
  readonly skewMs: number;
}

interface Asked {
  readonly atMs: number;
  /** The process that is asked first; further attempts go to the next ones. */
  readonly process: number;
  readonly deadlineMs: number;
  readonly attempts: number;
}

interface OfUser {
  readonly user: string;
  readonly request: string;
}

/** What a client wants. */
export type Wish =
  | ({ readonly kind: 'claim' | 'grant'; readonly promotion: PromotionName } & OfUser)
  | ({ readonly kind: 'hide' } & OfUser)
  | ({
      readonly kind: 'hold';
      readonly order: string;
      readonly coupons: number;
      readonly holdMs?: number;
    } & OfUser)
  | ({ readonly kind: 'commit' | 'release' | 'return'; readonly order: string } & OfUser)
  | {
      readonly kind: 'change';
      readonly promotion: PromotionName;
      readonly state: LiveState;
      readonly quantity: number;
    }
  | { readonly kind: 'sweep' };

/** A wish, and when and how it is uttered. */
export type Operation = Wish & Asked;

/** Something that goes wrong. */
export type Fault =
  | {
      readonly kind: 'call';
      readonly process: 'serve' | 'archive' | 'postgres';
      readonly number: number;
      readonly call: number;
      readonly fate: CallFate;
      readonly forMs: number;
    }
  | {
      readonly kind: 'crash' | 'freeze';
      readonly process: 'serve' | 'archive';
      readonly number: number;
      readonly atMs: number;
      readonly forMs: number;
    }
  | { readonly kind: 'restart-redis'; readonly atMs: number; readonly forMs: number; readonly share: number }
  | { readonly kind: 'restore-backup'; readonly atMs: number; readonly forMs: number; readonly share: number }
  | {
      readonly kind: 'promote-replica' | 'freeze-replica' | 'freeze-redis' | 'stop-postgres';
      readonly atMs: number;
      readonly forMs: number;
    }
  | { readonly kind: 'jump-clock'; readonly atMs: number; readonly byMs: number }
  | { readonly kind: 'flush-scripts'; readonly atMs: number };

/** One run. */
export interface Schedule {
  /** Of everything that is not told here, such as how long calls take. */
  readonly seed: number;
  readonly settings: Settings;
  readonly operations: readonly Operation[];
  readonly faults: readonly Fault[];
}
