/** What clients asked for, and what they heard. */
import type { Refusal } from '../../../src/domain/refusal.ts';
import type { Operation } from './plan.ts';

/** One attempt at an operation. */
export type Attempt = { readonly atMs: number } & (
  | {
      readonly kind: 'ok';
      readonly level: 'fast' | 'durable';
      readonly couponId?: string;
      readonly version?: number;
    }
  | { readonly kind: 'refused'; readonly reason: Refusal['reason'] }
  | { readonly kind: 'silence' }
);

/** An operation with its attempts. */
export interface Told {
  readonly operation: Operation;
  readonly attempts: Attempt[];
  /** The coupons it was about, as the client knew them when it first asked. */
  couponIds?: readonly string[];
}
