import { epochMs } from '../../domain/epoch-ms.ts';
import type { FaultFinder } from './report.ts';

/** Windows that end before they begin, and windows that never meet. Both ends of a window belong to it. */
export const windowFaults: FaultFinder = ({ stock, validity, schedule }, report) => {
  const claimStart = epochMs(stock?.claimStartsAt);
  const claimEnd = epochMs(stock?.claimEndsAt);
  if (isBefore(claimEnd, claimStart)) report('stock.claim_ends_at', 'is before claim_starts_at');

  const dates = validity?.kind.case === 'fixedDates' ? validity.kind.value : undefined;
  const end = epochMs(dates?.endsAt);
  if (isBefore(end, epochMs(dates?.startsAt))) report('validity.fixed_dates.ends_at', 'is before starts_at');
  if (isBefore(end, claimStart)) {
    report('validity.fixed_dates.ends_at', 'is before the first claim (stock.claim_starts_at)');
  }

  const activation = epochMs(schedule?.activateAt);
  if (isBefore(claimEnd, activation))
    report('schedule.activate_at', 'is after the last claim (stock.claim_ends_at)');
  if (isBefore(end, activation))
    report('schedule.activate_at', 'is after the end (validity.fixed_dates.ends_at)');
};

function isBefore(left: number | undefined, right: number | undefined): boolean {
  return left !== undefined && right !== undefined && left < right;
}
