/** What the operations on points work with. */
import type { Ledger } from '../ledger/ledger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { PointsMovement } from '../telemetry/order-metrics.ts';

/** How points are earned and end. */
export interface PointsSettings {
  /** Points per major unit by ISO 4217 code; a currency that is not here earns 1 per 1.00. */
  readonly rates: Readonly<Record<string, string>>;
  /** Months that points live, beside the one in which they were earned; 0 = for ever. */
  readonly expiryMonths: number;
  /** IANA zone of the months. */
  readonly timeZone: string;
}

/** What they need from outside. */
export interface PointsPorts {
  readonly ledger: Ledger;
  readonly settings: PointsSettings;
  readonly metrics: Pick<Metrics, 'points' | 'exchanges'>;
}

/** Counts points that moved. */
export function countPoints({ metrics }: PointsPorts, movement: PointsMovement, points: number): void {
  metrics.points.child(movement).value += points;
}
