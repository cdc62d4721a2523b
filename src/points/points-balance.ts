/** What a user has, as of a moment. */
import { availablePoints, expire, type PointsState } from '../domain/points.ts';
import { firstLivingMonth, monthExpiresMs } from '../domain/points-month.ts';
import type { PointsSettings } from './points-ports.ts';

/** The points of a user. */
export interface PointsBalance {
  readonly totalEarned: number;
  /** Points that can be spent. */
  readonly available: number;
  /** Points owed; later earnings pay them. */
  readonly debt: number;
  /** The points that end next, and the first instant at which they are gone (ms since the epoch); undefined: none do. */
  readonly expiringNext: { readonly points: number; readonly expiresAtMs: number } | undefined;
}

/** The state without the points whose time is over at `nowMs`; the entry about them follows with the next expiry run. */
export function livingPoints(state: PointsState, settings: PointsSettings, nowMs: number): PointsState {
  const { expiryMonths, timeZone } = settings;
  if (expiryMonths === 0) return state;
  return expire(state, firstLivingMonth(nowMs, expiryMonths, timeZone))?.state ?? state;
}

/** The balance of a state at `nowMs`. */
export function balanceOf(state: PointsState, settings: PointsSettings, nowMs: number): PointsBalance {
  const living = livingPoints(state, settings, nowMs);
  const [oldest] = living.lots;
  const { expiryMonths, timeZone } = settings;
  return {
    totalEarned: living.earned,
    available: availablePoints(living),
    debt: living.debt,
    expiringNext:
      expiryMonths === 0 || oldest === undefined
        ? undefined
        : { points: oldest.points, expiresAtMs: monthExpiresMs(oldest.month, expiryMonths, timeZone) },
  };
}
