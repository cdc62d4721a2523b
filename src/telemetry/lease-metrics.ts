import { type Declare, withChildren } from './declarations.ts';

/** What was called of the ledger to get units of a promotion for a partition. */
export type LeaseCall = 'look' | 'grant' | 'deliver' | 'take_back' | 'confirm';

/** Which way units went: from a pool to a partition, or back. */
export type LeaseMovement = 'granted' | 'taken_back';

/** How asking for units ended: as a run did, or because one a moment ago had found that nothing is left. */
export type ObtainEnd = 'granted' | 'exhausted' | 'unavailable' | 'hinted';

/** What is counted of leases; nothing where the ledger has one partition. */
export function leaseMetrics(declare: Declare) {
  return {
    leaseCalls: withChildren(
      declare.counters<readonly [LeaseCall]>(
        'promo_lease_calls_total',
        'Calls to get units of a promotion for a partition, by what they did.',
        ['call'],
      ),
      ['look', 'grant', 'deliver', 'take_back', 'confirm'],
    ),
    leaseUnits: withChildren(
      declare.counters<readonly [LeaseMovement]>(
        'promo_lease_units_total',
        'Units of promotions that went to partitions or back; money of budgets in minor units.',
        ['movement'],
      ),
      ['granted', 'taken_back'],
    ),
    leaseEnds: withChildren(
      declare.counters<readonly [ObtainEnd]>(
        'promo_lease_ends_total',
        'How asking for units of a promotion ended.',
        ['end'],
      ),
      ['granted', 'exhausted', 'unavailable', 'hinted'],
    ),
  };
}
